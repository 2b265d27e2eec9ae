"""Gymnasium environments as a Mezzanine world.

:mod:`~mezzanine_worlds_gymnasium.config` holds the settings,
:mod:`~mezzanine_worlds_gymnasium.world` the world and
:mod:`~mezzanine_worlds_gymnasium.simulation` an environment that a planner can play plans in;
:mod:`~mezzanine_worlds_gymnasium.saved` writes policies to files. Nothing is imported here, because
listing the installed components imports this package.
"""
