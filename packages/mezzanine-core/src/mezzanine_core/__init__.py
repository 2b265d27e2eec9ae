"""Mezzanine core: plugin host, contracts, latent cache, statistics and command line.

This package root holds only what a plugin module needs at import time and costs next to nothing.
The contracts live in :mod:`~mezzanine_core.worlds`, :mod:`~mezzanine_core.symmetries`,
:mod:`~mezzanine_core.encoders` and :mod:`~mezzanine_core.recipes`; configuration models derive from
:mod:`mezzanine_core.config`.
"""

from mezzanine_core._version import __version__
from mezzanine_core.errors import MezzError
from mezzanine_core.hookspecs import hookimpl
from mezzanine_core.specs import Spec

__all__ = ["MezzError", "Spec", "__version__", "hookimpl"]
