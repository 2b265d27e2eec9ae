"""What a tuner is asked to do, checked before anything runs."""

from __future__ import annotations

import math
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mezzanine_core.config.models import WorldConfig
from mezzanine_core.config.outline import Outline, outline
from mezzanine_core.config.resolve import Resolved, resolve
from mezzanine_core.config.text import format_value
from mezzanine_core.errors import ConfigError, MezzError
from mezzanine_core.plugins.registry import Registry
from mezzanine_core.tuning.space import Dimension, Point, Value, find_setting, read_space

REDUCTION = 3
"""Successive halving: about one of so many trials goes on from each rung to the next."""

Flags = dict[str, Any]
_Resolve = Callable[[Mapping[str, Any]], Resolved]


@dataclass(frozen=True)
class TuningRequest:
    """What the user asked for, as typed.

    Attributes:
        space: Entries of ``--space``.
        baseline: Name of the figure that must lie within a range.
        low: Lower end of that range.
        high: Upper end of that range.
        effect: Name of the figure that is maximised.
        trials: How many points of the space are tried.
        pilot: Entries of ``--pilot``: settings of the first rung, where a run is cheap.
        rungs: How many runs a trial has that is never stopped; the last one is the full run.
        disagreement: Largest spread of the effect over seeds, as a share of the effect.
        own_space: Whether ``space`` is the recipe's: what the user fixes is left out of it then.
        own_pilot: Whether ``pilot`` is the recipe's: what is searched is left out of it then.
    """

    space: tuple[str, ...]
    baseline: str
    low: float
    high: float
    effect: str
    trials: int = 20
    pilot: tuple[str, ...] = ()
    rungs: int = 2
    disagreement: float = 0.5
    own_space: bool = False
    own_pilot: bool = False


@dataclass(frozen=True)
class TuningPlan:
    """A tuning whose every part is known to be possible.

    Attributes:
        request: What was asked for.
        recipe: Name of the recipe or preset.
        file: Configuration file of the fixed settings.
        flags: Fixed settings that were given by flag, by full name.
        space: What is searched.
        rungs: Settings that differ from the full run, rung by rung; the last is empty.
        fresh: Settings of the confirmation: seeds and data that no trial has seen.
        fixed: Every setting of the full run but those that are searched, as JSON values.
    """

    request: TuningRequest
    recipe: str
    file: Path | None
    flags: Flags
    space: tuple[Dimension, ...]
    rungs: tuple[Flags, ...]
    fresh: Flags
    fixed: Mapping[str, Any]

    def settings(self, point: Point, rung: int | None) -> Flags:
        """The flags of one run: of a rung, or, with ``None``, of the confirmation."""
        more = self.fresh if rung is None else self.rungs[rung]
        return {**self.flags, **{name: written(value) for name, value in point.items()}, **more}

    def command(self, point: Point, rung: int | None) -> str:
        """The command line that repeats one run."""
        words = ["mezz", "run", self.recipe]
        if self.file is not None:
            words += ["--config", str(self.file)]
        for name, value in self.settings(point, rung).items():
            words.append(f"--{name.replace('_', '-')}={written(value)}")
        return shlex.join(words)

    def identity(self) -> dict[str, Any]:
        """What must stay the same for a study to be continued; the number of trials may grow."""
        return {
            "recipe": self.recipe,
            "settings": dict(self.fixed),
            "space": {each.name: each.text for each in self.space},
            "baseline": self.request.baseline,
            "range": [self.request.low, self.request.high],
            "effect": self.request.effect,
            "disagreement": self.request.disagreement,
            "rungs": [{name: written(value) for name, value in one.items()} for one in self.rungs],
        }


def written(value: Any) -> str:
    """A value the way a flag takes it."""
    return value if isinstance(value, str) else format_value(value)


def make_plan(
    registry: Registry,
    recipe: str,
    request: TuningRequest,
    *,
    file: Path | None,
    environ: Mapping[str, str],
    flags: Mapping[str, Any],
) -> TuningPlan:
    """Check a request, and the ends of every range, against the models of recipe and components.

    Args:
        registry: The installed plugins.
        recipe: Name of a recipe or preset.
        request: What is asked for.
        file: Configuration file of the fixed settings.
        environ: Environment variables.
        flags: Fixed settings by name, as typed.

    Raises:
        ConfigError: If something cannot be searched, fixed or compared so; the message says what.
        MezzError: If the fixed settings are wrong; see :func:`resolve`.
    """
    _check_numbers(request)
    found = outline(registry, recipe, file=file, environ=environ, flags=flags)
    given = {found.index.find(name).dotted: _joined(value) for name, value in flags.items()}
    space = _space(request, found, given)

    def resolved(more: Mapping[str, Any]) -> Resolved:
        return resolve(registry, recipe, file=file, environ=environ, flags={**given, **more})

    full = resolved({})
    _probe(space, resolved)
    rungs = _rungs(request, found, space, full)
    pilots = [_explained("--pilot", resolved, rung) for rung in rungs[:-1]]
    return TuningPlan(
        request=request,
        recipe=full.recipe.spec.name,
        file=file,
        flags=given,
        space=space,
        rungs=rungs,
        fresh=_fresh([full, *pilots]),
        fixed=_fixed(full, space),
    )


def _check_numbers(request: TuningRequest) -> None:
    if not request.space:
        raise ConfigError("nothing is searched", hint="Give --space NAME=LOW:HIGH or NAME=A|B.")
    within = f"--range {request.low:g}:{request.high:g}"
    if not (math.isfinite(request.low) and math.isfinite(request.high)):
        raise ConfigError(f"{within}: both ends must be finite")
    if not request.low < request.high:
        raise ConfigError(f"{within}: ends before it begins")
    if request.trials < 1:
        raise ConfigError(f"--trials {request.trials}: at least one trial is needed")
    if not 2 <= request.rungs <= 10:
        raise ConfigError(f"--rungs {request.rungs}: is not between 2 and 10")
    if not 0 < request.disagreement < math.inf:
        raise ConfigError(f"--disagreement {request.disagreement:g}: is not above 0 and finite")


def _space(request: TuningRequest, found: Outline, given: Flags) -> tuple[Dimension, ...]:
    space = read_space(request.space, found)
    if request.own_space:
        space = tuple(each for each in space if each.name not in given)
    for each in space:
        if each.name in given:
            raise ConfigError(f"{each.name} is fixed by a flag and searched by --space as well")
    if not space:
        raise ConfigError("every setting that the recipe would search is fixed by a flag")
    return space


def _joined(value: Any) -> Any:
    """A repeated flag as one."""
    return ",".join(map(written, value)) if isinstance(value, list) else value


def _explained(label: str, resolved: _Resolve, more: Mapping[str, Any]) -> Resolved:
    try:
        return resolved(more)
    except MezzError as error:
        raise type(error)(f"{label}: {error.message}", hint=error.hint) from error


def _probe(space: Sequence[Dimension], resolved: _Resolve) -> None:
    for each in space:
        for value in each.probes():
            text = written(value)
            _explained(f"--space {each.name}={text}", resolved, {each.name: text})


def _rungs(
    request: TuningRequest, plan: Outline, space: Sequence[Dimension], full: Resolved
) -> tuple[Flags, ...]:
    """The settings of each rung: whole numbers grow evenly, on a logarithmic scale, to the full."""
    pilot: Flags = {}
    searched = {each.name for each in space}
    for entry in request.pilot:
        setting, value = find_setting("--pilot", entry, plan)
        if request.own_pilot and setting.dotted in searched:
            continue
        if setting.dotted in pilot or setting.dotted in searched:
            raise ConfigError(f"--pilot {entry}: {setting.dotted} is set twice, or searched")
        pilot[setting.dotted] = value
    if not pilot:
        return ({},)
    last = request.rungs - 1
    rungs: list[Flags] = []
    for rung in range(last):
        share = rung / last
        rungs.append({name: _between(name, first, full, share) for name, first in pilot.items()})
    return (*rungs, {})


def _between(name: str, first: str, full: Resolved, share: float) -> Value:
    end = _value_of(full, name)
    if isinstance(end, bool) or not isinstance(end, int) or not first.isdecimal():
        return first
    start = int(first)
    if start > end:
        raise ConfigError(
            f"--pilot {name}={first}: is more than the {end} of the full run",
            hint="A pilot is a cheaper run than the full one.",
        )
    return max(start, round(max(start, 1) ** (1 - share) * end**share)) if share else start


def _value_of(resolved: Resolved, dotted: str) -> Any:
    value: Any = resolved.config
    for name in dotted.split("."):
        value = getattr(value, name)
    return value


def _fresh(runs: Sequence[Resolved]) -> Flags:
    """Seeds that none of the runs of a trial has, at least three, and another seed of the data."""
    full = runs[0]
    first = max(seed for run in runs for seed in run.config.seeds) + 1
    count = max(3, len(full.config.seeds))
    fresh: Flags = {
        "seed": str(max(run.config.seed for run in runs) + 1),
        "seeds": ",".join(str(first + number) for number in range(count)),
    }
    for slot in full.components:
        worlds = [getattr(run.config, slot) for run in runs]
        if isinstance(worlds[0], WorldConfig) and full.origins.get(f"{slot}.seed") != "seed":
            fresh[f"{slot}.seed"] = str(max(world.seed for world in worlds) + 1)
    return fresh


def _fixed(full: Resolved, space: Sequence[Dimension]) -> dict[str, Any]:
    config = full.config.model_dump(mode="json")
    flat: dict[str, Any] = {}

    def visit(prefix: str, value: Any) -> None:
        for name, item in value.items():
            if f"{prefix}{name}" in full.origins:
                flat[f"{prefix}{name}"] = item
            elif isinstance(item, dict):
                visit(f"{prefix}{name}.", item)

    visit("", config)
    searched = {each.name for each in space}
    return {name: value for name, value in flat.items() if name not in searched}
