"""Which simulator is installed, and whether it is one that this world works with.

Versions are read from the metadata of the distributions, without importing them.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from mezzanine_core.errors import MissingDependencyError
from mezzanine_core.plugins.requirements import conflicts

DISTRIBUTION = "mezzanine-worlds-iphyre"

_DECISIVE = ("iphyre", "pygame", "pymunk")
"""What decides how the games move and look."""


def simulator_versions() -> dict[str, str]:
    """The versions of the simulator and of the libraries that decide how it moves and looks.

    Raises:
        MissingDependencyError: If one of them, or anything else that this distribution requires, is
            missing or of a version that does not work; the hint is the command that mends it.
    """
    try:
        unmet = conflicts([DISTRIBUTION])
    except PackageNotFoundError:
        raise MissingDependencyError(
            f"{DISTRIBUTION} is not installed, so the versions it needs are not known",
            hint=f"Run `pip install {DISTRIBUTION}`.",
        ) from None
    if unmet:
        wanted = " ".join(f'"{conflict.requirement}"' for conflict in unmet)
        raise MissingDependencyError(
            f"the I-PHYRE simulator cannot run: {'; '.join(map(str, unmet))}",
            hint=f"Run `pip install {wanted}`.",
        )
    return {name: version(name) for name in _DECISIVE}
