"""Comparing the results of two runs, field by field, within tolerances."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from mezzanine_core.config import MezzModel
from mezzanine_core.errors import DataError
from mezzanine_core.fingerprint import file_digest
from mezzanine_core.results import RunRecord
from mezzanine_core.runs.drift import Drift

Outcome = Literal["identical", "within tolerance", "drifted"]

COMPARED = ("metrics", "deltas", "verdict", "data", "diagnostics", "artifacts")
"""Fields of ``results.json`` that hold what was found."""

_TEXTS = frozenset({"sentence", "detail"})
_OF_THE_MACHINE = frozenset({"timings", "seconds", "torch"})

_ABSENT = object()


class Tolerance(MezzModel):
    """How far two numbers may lie apart: by the larger of both bounds, as in ``math.isclose``."""

    relative: float = Field(1e-3, ge=0, description="Share of the larger of both numbers")
    absolute: float = Field(1e-4, ge=0, description="In the number's own unit")

    def allows(self, then: float, now: float) -> bool:
        """Whether two numbers count as the same."""
        return math.isclose(then, now, rel_tol=self.relative, abs_tol=self.absolute)


class Difference(MezzModel):
    """A value that is not the same in both runs."""

    path: str = Field(description="Where it stands in `results.json`")
    then: Any = Field(description="What it was; null where it was not there")
    now: Any = Field(description="What it is; null where it is not there")
    drifted: bool = Field(description="Whether it lies beyond the tolerance")


class Comparison(MezzModel):
    """The document ``comparison.json``."""

    format: Literal["mezzanine-comparison"] = "mezzanine-comparison"
    schema_version: Literal[1] = 1
    run: str = Field(description="Directory of the earlier run")
    rerun: str = Field(description="Directory of the later one")
    outcome: Outcome = Field(description="Of all fields together")
    tolerance: Tolerance
    drift: tuple[Drift, ...] = Field(description="What had changed before it ran")
    fields: int = Field(description="How many values were compared")
    identical: int = Field(description="How many of them are the same bit for bit")
    differences: tuple[Difference, ...] = Field(description="The values that are not")
    inside_intervals: bool | None = Field(
        description="Whether all estimates that drifted still lie in the earlier run's intervals; "
        "null where none did"
    )
    files: dict[str, Outcome | Literal["missing"]] = Field(
        description="Artifact → whether both runs wrote the same bytes; for information alone"
    )


def compare(
    then: RunRecord,
    now: RunRecord,
    *,
    tolerance: Tolerance,
    drift: tuple[Drift, ...] = (),
    directories: tuple[Path, Path],
) -> Comparison:
    """Compare what two runs found.

    Numbers that are not whole are compared within the tolerance, all else exactly. Left out is what
    is said of the computation and not of the results: timings (keys ``timings`` and ``seconds``),
    the versions and threads below ``torch``, the cache, and sentences, whose figures stand in other
    fields.

    Args:
        then: The earlier run.
        now: The later one.
        tolerance: How far numbers may lie apart.
        drift: What had changed between them.
        directories: The directories of both, for their files.
    """
    first, second = (record.model_dump(mode="json") for record in (then, now))
    count, differences = 0, []
    for path, before, after in _leaves(
        {name: first[name] for name in COMPARED}, {name: second[name] for name in COMPARED}, ""
    ):
        count += 1
        if not _same(before, after):
            differences.append(_difference(path, before, after, tolerance))
    drifted = [difference for difference in differences if difference.drifted]
    return Comparison(
        run=str(directories[0]),
        rerun=str(directories[1]),
        outcome="drifted" if drifted else "within tolerance" if differences else "identical",
        tolerance=tolerance,
        drift=drift,
        fields=count,
        identical=count - len(differences),
        differences=tuple(differences),
        inside_intervals=_inside(first, drifted),
        files={name: _files(*(one / name for one in directories)) for name in then.artifacts},
    )


def _leaves(then: Any, now: Any, path: str) -> Iterator[tuple[str, Any, Any]]:
    """The values of two documents that stand at the same place."""
    if isinstance(then, Mapping) and isinstance(now, Mapping):
        for key in dict.fromkeys((*then, *now)):
            if key in _TEXTS or key in _OF_THE_MACHINE:
                continue
            below = f"{path}.{key}" if path else key
            yield from _leaves(then.get(key, _ABSENT), now.get(key, _ABSENT), below)
    elif isinstance(then, list) and isinstance(now, list) and len(then) == len(now):
        for place, (before, after) in enumerate(zip(then, now, strict=True)):
            yield from _leaves(before, after, f"{path}[{place}]")
    else:
        yield path, then, now


def _same(then: Any, now: Any) -> bool:
    return type(then) is type(now) and bool(then == now)


def _difference(path: str, then: Any, now: Any, tolerance: Tolerance) -> Difference:
    numbers = all(isinstance(one, float | int) and not isinstance(one, bool) for one in (then, now))
    whole = isinstance(then, int) and isinstance(now, int)
    return Difference(
        path=path,
        then=None if then is _ABSENT else then,
        now=None if now is _ABSENT else now,
        drifted=whole or not (numbers and tolerance.allows(then, now)),
    )


def _inside(then: Mapping[str, Any], drifted: list[Difference]) -> bool | None:
    """Whether the point estimates that drifted lie within the intervals that they had."""
    found = []
    for difference in drifted:
        field, _, rest = difference.path.partition(".")
        owner, _, rest = rest.partition(".")
        metric, _, part = rest.rpartition(".")
        if field not in ("metrics", "deltas"):
            continue
        estimate = then[field].get(owner, {}).get(metric)
        if estimate is not None and part == "value" and isinstance(difference.now, float | int):
            found.append(estimate["low"] <= difference.now <= estimate["high"])
    return all(found) if found else None


def _files(then: Path, now: Path) -> Outcome | Literal["missing"]:
    try:
        return "identical" if file_digest(then) == file_digest(now) else "drifted"
    except DataError:
        return "missing"
