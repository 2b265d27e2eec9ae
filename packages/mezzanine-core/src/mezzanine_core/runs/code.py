"""Digests of the code that a run was computed with, so that a later one can tell an edit."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Iterable, Mapping
from pathlib import Path

CORE = "mezzanine-core"


def code_digests(used: Iterable[str], plugins: Mapping[str, str]) -> dict[str, str]:
    """Digest of the Python files of each distribution that a run uses; imports nothing.

    Versions tell releases apart. What is installed from a checkout keeps its version while it is
    edited: that is seen here.

    Args:
        used: Distributions whose code the run goes through; those that are no plugins are passed
            over. Core is always among them.
        plugins: Distribution → module of its plugin.

    Returns:
        By name, SHA-256 over names and contents of the files below the package that holds the
        plugin, in hexadecimal; without those that cannot be found or read.
    """
    names = sorted({CORE, *used} & set(plugins))
    found = {name: _digest(plugins[name].partition(".")[0]) for name in names}
    return {name: digest for name, digest in found.items() if digest is not None}


def _digest(package: str) -> str | None:
    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError):
        return None
    if spec is None:
        return None
    roots = list(spec.submodule_search_locations or ())
    total = hashlib.sha256()
    try:
        for root in map(Path, roots):
            for file in sorted(root.rglob("*.py")):
                total.update(f"{file.relative_to(root).as_posix()}\0".encode())
                total.update(hashlib.sha256(file.read_bytes()).digest())
        if not roots and spec.origin is not None:  # a plugin of a single file
            total.update(hashlib.sha256(Path(spec.origin).read_bytes()).digest())
    except OSError:
        return None
    return total.hexdigest()
