"""What decides how an environment moves and looks: versions, read without importing it."""

from __future__ import annotations

import hashlib
import importlib.util
from importlib.metadata import packages_distributions, requires
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

from mezzanine_core.errors import MissingDependencyError
from mezzanine_core.plugins.requirements import applies, installed_version
from mezzanine_worlds_gymnasium.environments import EnvRef, entry_module, family, find_spec

_ALWAYS = ("gymnasium", "numpy")
"""What every environment runs on; NumPy draws the first states."""

_DECISIVE = {
    "classic_control": ("pygame", "pygame-ce"),
    "toy_text": ("pygame", "pygame-ce"),
    "box2d": ("box2d", "box2d-py", "pygame", "pygame-ce"),
    "mujoco": ("mujoco",),
}


def simulator_versions(ref: EnvRef) -> dict[str, str]:
    """The versions of what an environment is simulated and drawn by.

    For Gymnasium's own environments those are Gymnasium, NumPy and the physics and drawing
    libraries that are installed. For others it is the distribution that brings the environment, and
    what that requires. A module that no distribution brings is named by a digest of its file.

    Raises:
        UnknownNameError: If there is no such environment.
        MissingDependencyError: If the module that makes it cannot be found.
    """
    names = [*_ALWAYS]
    own: dict[str, str] = {}
    if (package := family(ref)) is not None:
        names += _DECISIVE.get(package, ())
    else:
        module = entry_module(find_spec(ref.env_id))
        distributions = packages_distributions().get(module.split(".")[0], [])
        for distribution in sorted(set(distributions)):
            names += [distribution, *_required(distribution)]
        if not distributions:
            own = {module: _digest(module, ref.env_id)}
    found = {name: installed_version(name) for name in names}
    return own | {name: version for name, version in sorted(found.items()) if version is not None}


def _required(distribution: str) -> list[str]:
    parsed = [Requirement(text) for text in requires(distribution) or ()]
    return [requirement.name.lower() for requirement in parsed if applies(requirement)]


def _digest(module: str, env_id: str) -> str:
    origin = _origin(module)
    if origin is None:
        raise MissingDependencyError(
            f"the module {module!r}, which makes the environment {env_id!r}, cannot be found",
            hint="Install the package it belongs to, or name its folder in PYTHONPATH.",
        )
    return module_digest(origin)


def _origin(module: str) -> Any:
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        return None
    return None if spec is None else spec.origin


def module_digest(path: str) -> str:
    """SHA-256 of a file, 64 hexadecimal digits."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()
