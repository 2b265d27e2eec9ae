"""Checks whether requirements of installed distributions are met, as ``pip check`` does."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from packaging.markers import UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from mezzanine_core.errors import PluginError


@dataclass(frozen=True, slots=True)
class Conflict:
    """A requirement that the environment does not meet.

    Attributes:
        distribution: Who requires it.
        requirement: The requirement as its metadata has it.
        installed: The version that is installed, or ``None``.
    """

    distribution: str
    requirement: str
    installed: str | None

    def __str__(self) -> str:
        found = "it is not" if self.installed is None else f"{self.installed} is"
        return f"{self.distribution} requires {self.requirement}, but {found} installed"


def parse_requirement(text: str, owner: str) -> Requirement:
    """Parse one requirement string.

    Args:
        text: The requirement, as in ``Requires-Dist``.
        owner: Whose it is, for the message.

    Raises:
        PluginError: If it is malformed.
    """
    try:
        return Requirement(text)
    except InvalidRequirement as error:
        summary = str(error).splitlines()[0]
        raise PluginError(
            f"{owner} has the malformed requirement {text!r}: {summary}",
            hint=f"pip install --upgrade {owner}",
        ) from error


def installed_version(name: str) -> str | None:
    """The version of an installed distribution, or ``None`` where it is not installed."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def is_met(requirement: Requirement) -> bool:
    """Whether a requirement is met here; its extras are not looked into.

    A requirement whose marker excludes this environment is met.
    """
    if not applies(requirement):
        return True
    version = installed_version(requirement.name)
    return version is not None and requirement.specifier.contains(version, prereleases=True)


def conflicts(roots: Iterable[str]) -> list[Conflict]:
    """Unmet requirements of some distributions and of everything that they require in turn.

    Args:
        roots: Names of installed distributions.

    Returns:
        One conflict for each unmet requirement, in the order met. Malformed requirements of
        distributions that are not roots are passed over: pip refuses those itself.

    Raises:
        PluginError: If a root has a malformed requirement.
    """
    found: list[Conflict] = []
    waiting = [(canonicalize_name(root), frozenset({""}), True) for root in roots]
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        name, extras, is_root = waiting.pop(0)
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        for requirement in _requirements(name, extras, is_root):
            version = installed_version(requirement.name)
            if version is None or not requirement.specifier.contains(version, prereleases=True):
                found.append(Conflict(name, _without_marker(requirement), version))
            else:
                wanted = frozenset(requirement.extras) | {""}
                waiting.append((canonicalize_name(requirement.name), wanted, False))
    return found


def _requirements(name: str, extras: frozenset[str], is_root: bool) -> Iterator[Requirement]:
    for text in importlib.metadata.requires(name) or ():
        try:
            requirement = parse_requirement(text, name)
        except PluginError:
            if is_root:
                raise
            continue
        if applies(requirement, extras):
            yield requirement


def applies(requirement: Requirement, extras: frozenset[str] = frozenset({""})) -> bool:
    """Whether the marker of a requirement includes this environment, with some extras chosen."""
    marker = requirement.marker
    if marker is None:
        return True
    try:
        return any(marker.evaluate({"extra": extra}) for extra in extras)
    except UndefinedEnvironmentName:
        return False


def _without_marker(requirement: Requirement) -> str:
    bare = Requirement(str(requirement))
    bare.marker = None
    return str(bare)
