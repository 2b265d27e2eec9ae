"""Checks of the installation, for ``mezz doctor``."""

from __future__ import annotations

import platform
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from mezzanine_core._version import __version__
from mezzanine_core.errors import MezzError
from mezzanine_core.plugins import Registry, load_registry
from mezzanine_core.plugins.loading import CORE
from mezzanine_core.plugins.requirements import conflicts, installed_version

Level = Literal["ok", "note", "problem"]
"""``note`` is worth knowing, ``problem`` keeps something from working."""

SLOW_PLUGIN_SECONDS = 0.3
"""A plugin that takes longer than this at every start is worth a note."""

LITTLE_SPACE_BYTES = 2 * 10**9
"""Less free space than this beside the cache is worth a note."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found.

    Attributes:
        level: See :data:`Level`.
        subject: What was looked at.
        detail: What was found.
        remedy: The command that mends it, or what else to do.
    """

    level: Level
    subject: str
    detail: str
    remedy: str | None = None

    def as_json(self) -> dict[str, str | None]:
        """The finding as plain values."""
        return asdict(self)


def diagnose() -> list[Finding]:
    """Run all checks. A check that fails itself is a problem like another."""
    registry = load_registry(strict=False)
    checks: list[tuple[str, Callable[[], Iterator[Finding]]]] = [
        ("python", _python),
        (CORE, _core),
        ("requirements", lambda: _requirements(registry)),
        ("plugins", lambda: _plugins(registry)),
        ("components", lambda: _components(registry)),
        ("cache", _cache_directory),
        ("zarrs", _codec_pipeline),
        ("torch", _torch),
    ]
    findings: list[Finding] = []
    for subject, check in checks:
        try:
            findings += check()
        except MezzError as error:
            findings.append(Finding("problem", subject, error.message, error.hint))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - what is wrong is what we look for
            findings.append(Finding("problem", subject, f"{type(error).__name__}: {error}"))
    return findings


def _python() -> Iterator[Finding]:
    yield Finding("ok", "python", f"{platform.python_version()} on {platform.platform()}")


def _core() -> Iterator[Finding]:
    installed = installed_version(CORE)
    if installed is None:
        yield Finding("note", CORE, f"{__version__}, not installed: run from its sources")
    elif installed != __version__:
        yield Finding(
            "problem",
            CORE,
            f"{__version__} runs, but {installed} is installed",
            f"pip install --force-reinstall {CORE}",
        )
    else:
        yield Finding("ok", CORE, __version__)


def _requirements(registry: Registry) -> Iterator[Finding]:
    roots = {CORE, *(record.distribution for record in registry.plugins)}
    there = sorted(root for root in roots if installed_version(root) is not None)
    unmet = conflicts(there)
    for conflict in unmet:
        yield Finding(
            "problem", "requirements", str(conflict), f"pip install '{conflict.requirement}'"
        )
    if not unmet:
        yield Finding("ok", "requirements", f"met, for {', '.join(there)}")


def _plugins(registry: Registry) -> Iterator[Finding]:
    for record in registry.plugins:
        subject = f"plugin {record.id}"
        if record.status == "ok":
            yield Finding("ok", subject, record.version)
        else:
            level: Level = "problem" if record.failed else "note"
            yield Finding(level, subject, f"{record.status}: {record.cause}", record.remedy)
        if record.seconds > SLOW_PLUGIN_SECONDS:
            yield Finding(
                "note",
                subject,
                f"takes {record.seconds:.1f} s at the start of every command",
                "`mezz doctor --timings` says what takes so long; its author can import it later.",
            )
    for name in registry.unmatched:
        yield Finding(
            "problem",
            "MEZZ_PLUGINS",
            f"names {name!r}, which is no installed plugin",
            "Correct MEZZ_PLUGINS; `mezz plugins` lists what there is.",
        )


def _components(registry: Registry) -> Iterator[Finding]:
    sound = 0
    for found in registry.components():
        subject = f"{found.spec.kind} {found.spec.name}"
        if registry.is_ambiguous(found):
            yield Finding(
                "note", subject, "has the name of another one", f"Call it {found.qualified}."
            )
        try:
            found.load_config()
            sound += 1
        except MezzError as error:
            yield Finding("problem", subject, error.message, error.hint)
        for text in found.missing_requirements():
            yield Finding("note", subject, f"needs {text} to run", f"pip install '{text}'")
    yield Finding("ok", "components", f"the settings of {sound} can be imported")


def _cache_directory() -> Iterator[Finding]:
    from mezzanine_core.cache import default_cache_dir

    directory = default_cache_dir()
    there = next(path for path in (directory, *directory.parents) if path.exists())
    try:
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        yield Finding(
            "problem",
            "cache",
            f"{directory} cannot be written: {error.strerror}",
            "Choose another directory with MEZZ_CACHE_DIR or --cache-dir.",
        )
        return
    free = shutil.disk_usage(there).free
    level: Level = "note" if free < LITTLE_SPACE_BYTES else "ok"
    yield Finding(level, "cache", f"{directory}, {free / 1e9:.1f} GB free")


def _codec_pipeline() -> Iterator[Finding]:
    """Write and read a small array as the cache does, which refuses every slower pipeline."""
    import numpy as np

    from mezzanine_core.cache.arrays import open_array, read_rows, write_array

    data = np.arange(60, dtype=np.float32).reshape(12, 5)
    back = np.empty_like(data)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "array"
        write_array(path, data, 4, ("item", "feature"))
        read_rows(open_array(path), 0, back)
    if not (back == data).all():
        yield Finding(
            "problem",
            "zarrs",
            "an array reads back other than it was written",
            "pip install --upgrade zarr zarrs",
        )
        return
    versions = ", ".join(f"{name} {installed_version(name)}" for name in ("zarrs", "zarr"))
    yield Finding("ok", "zarrs", f"reads and writes arrays ({versions})")


def _torch() -> Iterator[Finding]:
    """What metadata tell of torch: importing it takes seconds."""
    version = installed_version("torch")
    driver = shutil.which("nvidia-smi") is not None
    if version is None:
        yield Finding("note", "torch", "is not installed; the recipes that train need it")
    elif driver and version.endswith("+cpu"):
        yield Finding(
            "note",
            "torch",
            f"{version} is built for CPUs, but there is an NVIDIA driver here",
            "Choose a CUDA build: https://pytorch.org/get-started/locally/",
        )
    else:
        yield Finding("ok", "torch", f"{version}, {'an' if driver else 'no'} NVIDIA driver here")
