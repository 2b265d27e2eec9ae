"""Distributions that cannot be installed beside the others, made known for their settings alone."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from tempfile import TemporaryDirectory

_CORE = "mezzanine-core"


def with_versions_of_its_own(root: Path) -> list[Path]:
    """Folders of the distributions that have a `constraints.txt` beside their `pyproject.toml`."""
    return sorted(own.parent for own in (root / "packages").glob("**/constraints.txt"))


def made_known(folders: Iterable[Path]) -> TemporaryDirectory[str]:
    """Put distributions on the import path of this process, but for those that are installed.

    What they require is not there, so their components can be described, not run.

    Args:
        folders: Where each has its `pyproject.toml`.

    Returns:
        The directory that stands for their installation; until it is cleaned up they are known.
    """
    folder: TemporaryDirectory[str] = TemporaryDirectory(prefix="alongside-")
    for each in folders:
        project = tomllib.loads((each / "pyproject.toml").read_text("utf-8"))["project"]
        if not _is_installed(project["name"]):
            _describe(project, Path(folder.name))
            sys.path.append(str(each / "src"))
    sys.path.append(folder.name)
    return folder


def _is_installed(name: str) -> bool:
    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True


def _describe(project: dict[str, object], folder: Path) -> None:
    """Write the metadata of a distribution, as far as core asks for them."""
    name, version = str(project["name"]), str(project["version"])
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir()
    dependencies, groups = project["dependencies"], project["entry-points"]
    assert isinstance(dependencies, list)
    assert isinstance(groups, dict)
    needs = [f"Requires-Dist: {each}" for each in dependencies if each.startswith(_CORE)]
    head = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *needs]
    (info / "METADATA").write_text("\n".join(head) + "\n", encoding="utf-8")
    lines = [
        line
        for group, entries in groups.items()
        for line in (f"[{group}]", *(f"{key} = {target}" for key, target in entries.items()))
    ]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
