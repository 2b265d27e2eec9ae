"""What a run ran on: versions and platform. Never the environment, which may hold secrets."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from packaging.utils import canonicalize_name

from mezzanine_core.errors import PluginError
from mezzanine_core.plugins.components import PluginRecord
from mezzanine_core.plugins.requirements import applies, installed_version, parse_requirement
from mezzanine_core.runs.code import code_digests

OF_INTEREST = ("mezzanine-core", "numpy", "pydantic", "torch", "zarr", "zarrs")
"""Distributions whose version is noted wherever they are installed."""


def versions(installed: Iterable[str], used: Iterable[str]) -> dict[str, str]:
    """Versions of what a run is made of, from the metadata of what is installed; imports nothing.

    Args:
        installed: Distributions that bring plugins.
        used: Those whose components the run uses.

    Returns:
        ``python`` and ``platform``; then, by name and as far as they are installed, all the given
        distributions, what those that are used require directly, and :data:`OF_INTEREST`.
    """
    ours = {str(canonicalize_name(name)) for name in (*installed, *OF_INTEREST)}
    names = ours | with_requirements(used)
    found = {name: installed_version(name) for name in sorted(names)}
    return {
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "platform": platform.platform(),
        **{name: version for name, version in found.items() if version is not None},
    }


@dataclass(frozen=True)
class Provenance:
    """What a run is computed with.

    Attributes:
        versions: See :func:`versions`.
        code: See :func:`~mezzanine_core.runs.code.code_digests`.
    """

    versions: dict[str, str]
    code: dict[str, str]


def provenance(plugins: Iterable[PluginRecord], used: Iterable[str]) -> Provenance:
    """What a run is computed with, here and now.

    Args:
        plugins: The installed plugins.
        used: The distributions whose components the run uses.
    """
    modules = {plugin.distribution: plugin.module for plugin in plugins}
    used = list(used)
    return Provenance(versions(modules, used), code_digests(with_requirements(used), modules))


def with_requirements(used: Iterable[str]) -> set[str]:
    """Distributions, and what each requires directly here, by their normalised names."""
    roots = {canonicalize_name(name) for name in used}
    return {str(name) for name in roots.union(*(_required(root) for root in roots))}


def _required(distribution: str) -> Iterator[str]:
    """What a distribution requires here; nothing where its metadata cannot be read."""
    try:
        texts = importlib.metadata.requires(distribution) or ()
    except importlib.metadata.PackageNotFoundError:
        return
    for text in texts:
        try:
            requirement = parse_requirement(text, distribution)
        except PluginError:
            continue
        if applies(requirement):
            yield canonicalize_name(requirement.name)
