"""LeRobot data sets as a Mezzanine world.

:mod:`~mezzanine_worlds_lerobot.config` holds the settings and
:mod:`~mezzanine_worlds_lerobot.world` the world; both are found through the entry point in
:mod:`~mezzanine_worlds_lerobot.plugin`. Nothing is imported here, because listing the installed
components imports this package.
"""
