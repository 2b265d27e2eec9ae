"""What the report of one run says, before it is laid out."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mezzanine_core.config.text import format_value
from mezzanine_core.reports.facts import Row, facts, settings_of
from mezzanine_core.reports.numbers import seconds_text, share_text
from mezzanine_core.reports.pictures import Shown, shown
from mezzanine_core.reports.sections import Section, sections
from mezzanine_core.results import CacheCounts, RunRecord, Verdict, plain_text
from mezzanine_core.runs.history import PastRun
from mezzanine_core.runs.state import RESULTS, is_inside

_DEFAULT = "default"
_CHECKS = ("overlap",)
"""Entries of ``data`` that say how far the splits are independent."""
_SPREAD = ("spread", "latents")
"""Entries of ``diagnostics`` that say whether latents have collapsed."""

OUTCOMES = {
    "MAKE": "make",
    "BREAK": "break",
    "INCONCLUSIVE": "open",
    "finished": "open",
    "running": "open",
}
"""Outcome of a run → how its badge looks; all others are failures."""


_DONE = frozenset({"MAKE", "BREAK", "INCONCLUSIVE", "finished"})


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting with its value and where that came from."""

    name: str
    value: str
    origin: str


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of a run, its duration in words, and its share of the whole in per cent."""

    name: str
    seconds: str
    share: float


@dataclass(frozen=True, slots=True)
class RunPage:
    """The report of one run.

    Attributes:
        title: Name of the recipe.
        outcome: Verdict, or how the run ended.
        look: How the outcome looks: ``make``, ``break``, ``open`` or ``failed``.
        sentence: The outcome in a sentence.
        verdict: The verdict with its criteria and warnings, where there is one.
        subject: Component in each slot, with what brings it; sizes of the data, and seeds.
        started: When it started.
        sections: Figures, question by question.
        pictures: Its pictures.
        data: What the recipe says of the data.
        checks: Overlap of the splits and spread of the latents.
        diagnostics: What else the recipe says of the computation.
        stages: Where the time went.
        total: All of it, in words.
        cache: What was encoded and what was spared, in words.
        chosen: Settings that are not at their defaults.
        defaults: All others.
        components: Slot and fingerprint; distribution and digest of its code.
        versions: What it ran on.
        where: Device, workers, directories.
        encoders: What encoders say of how they encoded.
        fingerprint: Of the run.
        command: The command line, a flag a line.
        again: The command that runs it again from what it recorded; empty where it did not finish.
        files: Its files, relative to its directory.
        directory: The run directory, in words.
        trace: Why it failed, for those who mend it.
        level: Confidence level of the intervals, in words.
    """

    title: str
    outcome: str
    look: str
    sentence: str
    verdict: Verdict | None = None
    subject: tuple[Row, ...] = ()
    started: str = ""
    sections: tuple[Section, ...] = ()
    pictures: tuple[Shown, ...] = ()
    data: tuple[Row, ...] = ()
    checks: tuple[Row, ...] = ()
    diagnostics: tuple[Row, ...] = ()
    stages: tuple[Stage, ...] = ()
    total: str = ""
    cache: str = ""
    chosen: tuple[Setting, ...] = ()
    defaults: tuple[Setting, ...] = ()
    components: tuple[Row, ...] = ()
    versions: tuple[Row, ...] = ()
    where: tuple[Row, ...] = ()
    encoders: tuple[Row, ...] = ()
    fingerprint: str = ""
    command: str = ""
    again: str = ""
    files: tuple[str, ...] = ()
    directory: str = ""
    trace: str = ""
    level: str = ""


def run_page(
    run: PastRun, *, command: str = "", files: Sequence[str] = (), trace: str = ""
) -> RunPage:
    """Gather what the report of a run says.

    Args:
        run: The run; where it did not finish, its ``record`` is what it knew of itself.
        command: Its command line, where there is no record to tell.
        files: Its files, where there is no record to tell.
        trace: Traceback of a run that failed.
    """
    record = run.record
    named = tuple(files) if record is None else record.artifacts
    own = tuple(name for name in named if is_inside(name))
    page = RunPage(
        title=run.recipe or "A run",
        outcome=run.outcome,
        look=OUTCOMES.get(run.outcome, "failed"),
        sentence=sentence_of(run),
        started=run.started or "",
        pictures=tuple(shown(run.directory, (), own)),
        fingerprint=run.fingerprint or "",
        command=flag_by_flag(command),
        files=(RESULTS, *own) if (run.directory / RESULTS).exists() else own,
        directory=plain_text(str(run.directory)),
        trace=trace,
    )
    return page if record is None else replace(page, **_recorded(run, record, own))


def _recorded(run: PastRun, record: RunRecord, files: Sequence[str]) -> dict[str, Any]:
    data, checks = _split(record.data, _CHECKS)
    data, sizes = _split(data, [name for name, value in data.items() if isinstance(value, int)])
    diagnostics, spread = _split(record.diagnostics, _SPREAD)
    chosen, defaults = _settings(record)
    captioned = record.presentation.pictures
    command = record.settings.get("command")
    where = {name: value for name, value in record.settings.items() if name != "command"}
    found: dict[str, Any] = {
        "verdict": record.verdict,
        "subject": (*_subject(record), *facts(sizes), *_seeds(record)),
        "sections": tuple(sections(record)),
        "data": tuple(facts(data)),
        "checks": (*facts(checks), *facts(spread)),
        "diagnostics": tuple(facts(diagnostics)),
        "stages": _stages(record.timings),
        "total": seconds_text(record.timings["total"]) if "total" in record.timings else "",
        "cache": _cache(record.cache),
        "chosen": chosen,
        "defaults": defaults,
        "components": (
            *((slot, one.fingerprint) for slot, one in record.components.items()),
            *((f"code of {name}", digest) for name, digest in record.code.items()),
        ),
        "versions": tuple(record.versions.items()),
        "where": tuple(facts(where)),
        "encoders": tuple(facts(record.encoders)),
        "level": _levels(record),
    }
    if command:
        found["command"] = flag_by_flag(str(command))
    if run.outcome in _DONE:
        found["again"] = f"mezz rerun {shlex.quote(plain_text(str(run.directory)))}"
    if captioned:
        found["pictures"] = tuple(shown(run.directory, captioned, files))
    return found


def sentence_of(run: PastRun) -> str:
    """How a run ended, in a sentence."""
    record = run.record
    if record is not None and record.verdict is not None:
        sentence = record.verdict.sentence.strip()
        return sentence[:1].upper() + sentence[1:]
    if run.problem:
        return run.problem
    told = {
        "finished": "The run finished; its recipe gives no verdict.",
        "running": "The run has not ended yet.",
        "interrupted": "The run was interrupted before it was done.",
        "killed": "The process of the run ended without a word.",
    }
    return told.get(run.outcome, "")


def flag_by_flag(command: str) -> str:
    """A command line with a flag a line, as a shell takes it; as it is where it quotes anything."""
    if any(quote in command for quote in "'\"\\"):
        return command
    return command.replace(" --", " \\\n    --")


def _seeds(record: RunRecord) -> tuple[Row, ...]:
    seeds = record.config.get("seeds")
    return () if seeds is None else (("seeds", format_value(seeds)),)


def _split(
    values: Mapping[str, Any], names: Sequence[str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Without some entries, and those entries."""
    taken = {name: values[name] for name in names if name in values}
    return {name: value for name, value in values.items() if name not in taken}, taken


def _subject(record: RunRecord) -> tuple[Row, ...]:
    return tuple(
        (slot, f"{one.name} ({one.distribution} {one.version})")
        for slot, one in record.components.items()
    )


def _settings(record: RunRecord) -> tuple[tuple[Setting, ...], tuple[Setting, ...]]:
    values = settings_of(record.config)
    names = [*record.origins, *(name for name in values if name not in record.origins)]
    options = {name: value for name, value in record.settings.items() if name not in values}
    made = [
        Setting(name, format_value(value), record.origins.get(name, ""))
        for name in names
        if (value := values.get(name, options.get(name))) is not None or name in values
    ]
    chosen = tuple(one for one in made if one.origin not in ("", _DEFAULT))
    return chosen, tuple(one for one in made if one.origin in ("", _DEFAULT))


def _stages(timings: Mapping[str, float]) -> tuple[Stage, ...]:
    parts = {name: seconds for name, seconds in timings.items() if name != "total"}
    whole = max(timings.get("total", 0.0), sum(parts.values())) or 1.0
    rest = whole - sum(parts.values())
    if "total" in timings and rest > 0.01 * whole:
        parts["all else"] = rest
    return tuple(
        Stage(name, seconds_text(seconds), round(100 * seconds / whole, 1))
        for name, seconds in parts.items()
    )


def _cache(counts: CacheCounts) -> str:
    if counts.requested == 0:
        return ""
    spared = counts.requested - counts.encoded
    return (
        f"{counts.requested:,} latents were asked for, {counts.unique:,} of them distinct: "
        f"{counts.cached:,} came from the cache and {counts.encoded:,} were encoded. "
        f"So {spared:,} encodes were saved ({share_text(spared, counts.requested)}); "
        f"{counts.materialised:,} items had to be rendered, decoded or read."
    )


def _levels(record: RunRecord) -> str:
    figures = (*record.metrics.values(), *record.deltas.values())
    levels = sorted({one.level for of_one in figures for one in of_one.values()})
    return " and ".join(f"{level:.0%}" for level in levels)
