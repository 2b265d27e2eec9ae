"""Which library decodes videos, and whether it works here."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from typing import Literal

from mezzanine_core.errors import MissingDependencyError

_log = logging.getLogger(__name__)

BackendName = Literal["torchcodec", "pyav"]
"""A library that decodes videos."""


@dataclass(frozen=True)
class Backend:
    """What decodes videos; colours may differ by a step between libraries and versions.

    Attributes:
        name: The library, as LeRobot calls it.
        version: Its version.
    """

    name: BackendName
    version: str


def choose_backend(wanted: Literal["auto", "torchcodec", "pyav"]) -> Backend:
    """The library that decodes videos here.

    Args:
        wanted: Which one; ``auto`` takes torchcodec where it loads, which imports torch, and else
            PyAV, which comes with FFmpeg.

    Raises:
        MissingDependencyError: If torchcodec is asked for and does not load.
    """
    problem = None if wanted == "pyav" else _torchcodec_problem()
    if wanted == "torchcodec" and problem is not None:
        raise MissingDependencyError(
            f"torchcodec does not load: {problem}",
            hint="Install FFmpeg (with its shared libraries) in a version that torchcodec takes, "
            "or use --video_backend pyav.",
        )
    if wanted != "pyav" and problem is None:
        return Backend("torchcodec", version("torchcodec"))
    if problem is not None:
        _log.info("videos are decoded by PyAV, since torchcodec does not load: %s", problem)
    return Backend("pyav", version("av"))


def _torchcodec_problem() -> str | None:
    """Why torchcodec does not load, in one line; ``None`` if it does."""
    if find_spec("torchcodec") is None:
        return "it is not installed"
    try:
        import torchcodec.decoders  # noqa: F401
    except (ImportError, OSError, RuntimeError) as error:
        # What follows is a list of likely causes, and the attempts with every version of FFmpeg.
        first = next(iter(str(error).strip().splitlines()), "")
        return first.partition(" Likely causes")[0] or type(error).__name__
    return None
