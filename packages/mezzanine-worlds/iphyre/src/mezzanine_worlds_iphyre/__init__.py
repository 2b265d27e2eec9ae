"""The I-PHYRE games as a Mezzanine world.

:mod:`~mezzanine_worlds_iphyre.config` holds the settings and
:mod:`~mezzanine_worlds_iphyre.world` the world; both are found through the entry point in
:mod:`~mezzanine_worlds_iphyre.plugin`. Nothing is imported here, because listing the installed
components imports this package.
"""
