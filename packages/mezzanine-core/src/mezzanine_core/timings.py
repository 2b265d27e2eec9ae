"""What core and each plugin cost at the start of a command, and which import is to blame.

Every plugin is loaded in processes of its own under ``python -X importtime``: what one imports is
not paid for by another, and one that hangs or ends its process is measured like any other.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

from mezzanine_core.plugins.discovery import wanted_candidates
from mezzanine_core.plugins.loading import CORE

BUDGET_SECONDS = 0.05
"""A plugin that takes longer than this at the start of a command imports what it should not."""

_REPEATS = 3
"""Measurements of each, of which the shortest counts: the first may compile what it imports."""

_SLOW_SECONDS = 1.0
"""What takes this long is measured once."""

_TIMEOUT_SECONDS = 30.0

_MARK = "mezz-timings: from here on"

# importlib.import_module, by which entry points are loaded, leaves no trace in the report.
_SCRIPT = """
import importlib.metadata, json, os, sys, time
def import_module(name):
    __import__(name)
    return sys.modules[name]
importlib.metadata.import_module = import_module
plugin = sys.argv[1]
def mark():
    os.write(2, b"\\n" + sys.argv[2].encode() + b"\\n")
if not plugin:
    mark()
start = time.perf_counter()
import mezzanine_core.cli.app
from mezzanine_core.plugins import load_registry
load_registry(only=[], strict=False)
found = {"status": "ok", "cause": None, "seconds": time.perf_counter() - start}
if plugin:
    mark()
    records = load_registry(only=[plugin], strict=False).plugins
    record = next(each for each in records if each.id == plugin)
    found = {"status": record.status, "cause": record.cause, "seconds": record.seconds}
print("\\n" + json.dumps(found))
"""

_LINE = re.compile(r"import time:\s+(\d+) \|\s+(\d+) \| ( *)(\S+)")


@dataclass(frozen=True, slots=True)
class Import:
    """One import as ``python -X importtime`` reports it.

    Attributes:
        module: What was imported.
        own_seconds: Time of the module's own code.
        seconds: Time of that and of everything that it imported first.
        imports: What it imported first.
    """

    module: str
    own_seconds: float
    seconds: float
    imports: tuple[Import, ...] = ()


@dataclass(frozen=True, slots=True)
class Blame:
    """The largest part of a cost.

    Attributes:
        what: ``import``: importing a module of somebody else. ``code``: the code of a module of its
            own. ``hooks``: what its hooks do.
        module: The module.
        seconds: What it costs, with everything that it imports in turn where ``what`` is
            ``import``.
        imported_by: Who imports it; ``None`` for what is no import of another module.
    """

    what: Literal["import", "code", "hooks"]
    module: str
    seconds: float
    imported_by: str | None = None

    def __str__(self) -> str:
        cost = f"{self.seconds * 1e3:.0f} ms"
        if self.what == "import":
            by = f" by {self.imported_by}" if self.imported_by else ""
            return f"the import of {self.module}{by} ({cost})"
        return f"the {'hooks' if self.what == 'hooks' else 'code'} of {self.module} ({cost})"


@dataclass(frozen=True, slots=True)
class Timing:
    """What a plugin, or core, costs at the start of a command.

    Attributes:
        plugin: ``distribution:entry-point``, or the name of core for the command line itself.
        status: What became of it: as :data:`~mezzanine_core.plugins.Status`, ``hangs`` where it did
            not come to an end, or ``dies`` where it ended its process.
        cause: Why the status is not ``ok``.
        seconds: Wall time of importing it and calling its hooks; where it hangs, at least this.
        blame: The largest part of that, where it can be told.
    """

    plugin: str
    status: str
    cause: str | None
    seconds: float
    blame: Blame | None = None

    @property
    def over_budget(self) -> bool:
        """Whether it is a plugin that takes longer than :data:`BUDGET_SECONDS`."""
        return self.plugin != CORE and self.seconds > BUDGET_SECONDS

    def as_json(self) -> dict[str, Any]:
        """The timing as plain values."""
        return {**asdict(self), "over_budget": self.over_budget}


def measure_core(timeout: float = _TIMEOUT_SECONDS) -> Timing:
    """What core itself costs: importing the command line and announcing the built-in components.

    Args:
        timeout: Seconds after which a process is ended.
    """
    return _measure(CORE, "mezzanine_core", "", timeout)


def measure_plugins(timeout: float = _TIMEOUT_SECONDS) -> list[Timing]:
    """What each plugin costs that ``MEZZ_PLUGINS`` does not leave out, the dearest first.

    Args:
        timeout: Seconds after which the process of a plugin is ended.
    """
    timings = {
        found.id: _measure(found.id, found.entry.value.partition(":")[0].strip(), found.id, timeout)
        for found in wanted_candidates()
        if found.distribution != CORE
    }
    return sorted(timings.values(), key=lambda timing: (-timing.seconds, timing.plugin))


def _measure(name: str, module: str, plugin: str, timeout: float) -> Timing:
    """The shortest of several measurements."""
    timing = _measure_once(name, module, plugin, timeout)
    for _ in range(_REPEATS - 1):
        if timing.seconds > _SLOW_SECONDS or timing.status in ("hangs", "dies"):
            break
        again = _measure_once(name, module, plugin, timeout)
        timing = min(timing, again, key=lambda each: each.seconds)
    return timing


def _measure_once(name: str, module: str, plugin: str, timeout: float) -> Timing:
    # The same import path as here, whatever -c would put in front of it.
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-P", "-X", "importtime", "-c", _SCRIPT, plugin, _MARK]
    try:
        done = subprocess.run(
            command,
            env=environ,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            encoding="utf-8",
            errors="replace",
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Timing(name, "hangs", f"it is not loaded after {timeout:g} s", timeout)
    try:
        found = json.loads(done.stdout.splitlines()[-1])
    except (ValueError, IndexError):
        cause = f"its process ended with exit code {done.returncode}"
        return Timing(name, "dies", cause, 0.0)
    imports = parse_imports(done.stderr.partition(f"\n{_MARK}\n")[2])
    return Timing(name, **found, blame=blame(imports, module, found["seconds"]))


def parse_imports(report: str) -> list[Import]:
    """The trees of imports in what ``python -X importtime`` writes, lines of others left out.

    Args:
        report: The text. A module stands below what it imports, which is indented deeper.

    Returns:
        The outermost imports, in order.
    """
    waiting: list[tuple[int, Import]] = []
    for own, total, indent, module in _LINE.findall(report):
        depth = len(indent)
        children: list[Import] = []
        while waiting and waiting[-1][0] > depth:
            children.insert(0, waiting.pop()[1])
        found = Import(module, int(own) / 1e6, int(total) / 1e6, tuple(children))
        waiting.append((depth, found))
    return [found for _, found in waiting]


def blame(imports: Iterable[Import], module: str, seconds: float) -> Blame | None:
    """The largest part of what a plugin costs.

    Args:
        imports: Everything that was imported on its behalf, as trees.
        module: Its module; modules of the same package are its own code.
        seconds: What it costs in all; what no import accounts for are its hooks.

    Returns:
        The part, or ``None`` if it costs nothing.
    """
    outermost = list(imports)
    package = module.partition(".")[0]
    rest = seconds - sum(each.seconds for each in outermost)
    parts = [Blame("hooks", module, rest)]
    for each in outermost:
        parts += _parts(each, package, None)
    dearest = max(parts, key=lambda part: part.seconds)
    return dearest if dearest.seconds > 0 else None


def _parts(found: Import, package: str, by: str | None) -> Iterator[Blame]:
    """What an import costs, split at the border of the plugin's own package."""
    if not f"{found.module}.".startswith(f"{package}."):
        yield Blame("import", found.module, found.seconds, by)
        return
    yield Blame("code", found.module, found.own_seconds)
    for each in found.imports:
        yield from _parts(each, package, found.module)
