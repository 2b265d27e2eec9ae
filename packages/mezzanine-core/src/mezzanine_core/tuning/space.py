"""The settings that a tuner searches, and how their ranges and choices are written."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from mezzanine_core.config.fields import Setting
from mezzanine_core.config.outline import Outline
from mezzanine_core.config.text import metavar
from mezzanine_core.errors import ConfigError, UnknownNameError

Value = int | float | str
"""What a trial sets: a number, or text that is read as a flag's value is."""

Point = dict[str, Value]
"""Dotted name of each setting → its value."""

_NUMBERS = ("int", "float")
_NOT_SEARCHED = frozenset({"seed", "seeds"})


@dataclass(frozen=True)
class Dimension:
    """A setting that is searched.

    Attributes:
        name: Its full name, such as ``world.games``.
        kind: ``int`` and ``float`` are ranges, ``choice`` is a list of values.
        text: What was written, for the record.
        choices: The values of a choice, as a flag would have them.
        low: Lower end of a range, which belongs to it.
        high: Upper end of a range, which belongs to it.
        step: Distance of a range's values; ``None`` where any value may be taken.
        log: Whether values are drawn evenly on a logarithmic scale.
    """

    name: str
    kind: Literal["int", "float", "choice"]
    text: str
    choices: tuple[str, ...] = ()
    low: float = 0
    high: float = 0
    step: float | None = None
    log: bool = False

    @property
    def last(self) -> float:
        """The largest value of a range that has steps; otherwise its upper end."""
        if self.step is None:
            return self.high
        return self._at((_exact(self.high) - _exact(self.low)) // _exact(self.step))

    def values(self) -> tuple[Value, ...] | None:
        """Every value that it can take, or ``None`` where there is no end of them."""
        if self.kind == "choice":
            return self.choices
        if self.kind == "int":
            return tuple(range(int(self.low), int(self.last) + 1, int(self.step or 1)))
        if self.step is None:
            return None
        count = int((_exact(self.high) - _exact(self.low)) // _exact(self.step)) + 1
        return tuple(self._at(Decimal(number)) for number in range(count))

    def exactly(self, value: Value) -> Value:
        """A value that was drawn, as the range has it: 0.3, where samplers say 3 times 0.1."""
        if self.kind != "float" or self.step is None or isinstance(value, str):
            return value
        return self._at(Decimal(round((value - self.low) / self.step)))

    def _at(self, number: Decimal) -> float:
        return float(_exact(self.low) + number * _exact(self.step or 1))

    def probes(self) -> tuple[Value, ...]:
        """The values to try on the model before anything runs: all choices, or both ends."""
        if self.kind == "choice":
            return self.choices
        ends = (self.low, self.last)
        return tuple(int(end) for end in ends) if self.kind == "int" else ends


def _exact(number: float) -> Decimal:
    """A number as it was written: in binary, ten steps of 0.1 are not quite 1."""
    return Decimal(repr(number))


def read_space(entries: Sequence[str], plan: Outline) -> tuple[Dimension, ...]:
    """Read the entries of ``--space``.

    An entry is ``NAME=LOW:HIGH``, ``NAME=LOW:HIGH:log``, ``NAME=LOW:HIGH:STEP`` or
    ``NAME=VALUE|VALUE|…``, each value written as the flag of the setting takes it.

    Args:
        entries: As typed.
        plan: The command, with the settings of recipe and components.

    Raises:
        ConfigError: If an entry is malformed, does not fit the type of its setting, or names one
            that cannot be searched or was named before.
    """
    found: dict[str, Dimension] = {}
    for entry in entries:
        dimension = _read(entry, plan)
        if dimension.name in found:
            raise ConfigError(f"--space {entry}: {dimension.name} is searched twice")
        found[dimension.name] = dimension
    return tuple(found.values())


def find_setting(flag: str, entry: str, plan: Outline) -> tuple[Setting, str]:
    """The setting and the value of an entry ``NAME=VALUE``.

    Args:
        flag: The flag that has the entry, for errors.
        entry: As typed.
        plan: The command, with the settings of recipe and components.

    Raises:
        ConfigError: If it is malformed, or there is no such setting.
    """
    name, equals, value = entry.partition("=")
    if not equals or not name.strip() or not value.strip():
        raise ConfigError(f"{flag} {entry}: is not of the form NAME=VALUE")
    try:
        setting = plan.index.find(name)
    except UnknownNameError:
        near = " or ".join(repr(each) for each in plan.index.near(name))
        raise UnknownNameError(
            f"{flag} {entry}: there is no setting {name.strip()!r}",
            hint=f"Did you mean {near}?" if near else "`mezz tune RECIPE --help` shows all.",
        ) from None
    except ConfigError as error:
        raise ConfigError(f"{flag} {entry}: {error.message}", hint=error.hint) from None
    if setting.path[0] not in plan.model.model_fields:
        raise ConfigError(f"{flag} {entry}: {setting.dotted} changes nothing of what comes out")
    return setting, value.strip()


def _read(entry: str, plan: Outline) -> Dimension:
    setting, text = find_setting("--space", entry, plan)
    if setting.path[-1] in _NOT_SEARCHED:
        raise ConfigError(
            f"--space {entry}: a seed is not searched: the largest effect would be luck",
            hint="The chosen settings are confirmed on fresh seeds anyway.",
        )
    if "|" in text:
        choices = tuple(part.strip() for part in text.split("|"))
        if "" in choices or len(set(choices)) < len(choices):
            raise ConfigError(f"--space {entry}: a choice is empty, or comes twice")
        return Dimension(setting.dotted, "choice", text, choices)
    if setting.shape.kind not in _NUMBERS:
        raise ConfigError(
            f"--space {entry}: give at least two choices, as {setting.path[-1]}=A|B; "
            f"{setting.dotted} takes {metavar(setting.shape)}, which has no ranges"
        )
    return _range(entry, setting, text)


def _range(entry: str, setting: Setting, text: str) -> Dimension:
    parts = text.split(":")
    whole = setting.shape.kind == "int"
    if len(parts) not in (2, 3):
        raise ConfigError(
            f"--space {entry}: a range is LOW:HIGH, LOW:HIGH:log or LOW:HIGH:STEP, and choices are "
            "A|B"
        )
    low, high = (_number(entry, part, whole=whole) for part in parts[:2])
    log = len(parts) == 3 and parts[2].strip() == "log"
    step = _number(entry, parts[2], whole=whole) if len(parts) == 3 and not log else None
    if low >= high:
        raise ConfigError(f"--space {entry}: the range ends before it begins")
    if log and low <= 0:
        raise ConfigError(f"--space {entry}: a logarithmic range begins above 0")
    if step is not None and not 0 < step <= high - low:
        raise ConfigError(f"--space {entry}: the step is not above 0 and within the range")
    kind: Literal["int", "float"] = "int" if whole else "float"
    return Dimension(setting.dotted, kind, text, low=low, high=high, step=step, log=log)


def _number(entry: str, text: str, *, whole: bool) -> float:
    try:
        number = float(text)
        if not math.isfinite(number) or (whole and not number.is_integer()):
            raise ValueError
    except ValueError:
        kind = "whole number" if whole else "number"
        raise ConfigError(f"--space {entry}: {text.strip()!r} is not a {kind}") from None
    return number


def points(space: Sequence[Dimension], at_most: int) -> list[Point] | None:
    """Every point of a space, or ``None`` if there are more than ``at_most``."""
    values = [dimension.values() for dimension in space]
    if any(each is None for each in values):
        return None
    known = [each for each in values if each is not None]
    if math.prod(len(each) for each in known) > at_most:
        return None
    names = [dimension.name for dimension in space]
    return [dict(zip(names, each, strict=True)) for each in itertools.product(*known)]


def ends_touched(space: Sequence[Dimension], point: Mapping[str, Value]) -> list[str]:
    """The searched settings that lie at an end of their range, beyond which there may be more."""
    return [
        dimension.name
        for dimension in space
        if dimension.kind != "choice" and point[dimension.name] in dimension.probes()
    ]


def described(point: Mapping[str, Value]) -> str:
    """A point in words, such as ``delta_seconds=4.25, games=hole``."""
    return ", ".join(_pairs(point))


def _pairs(point: Mapping[str, Value]) -> Iterator[str]:
    for name, value in point.items():
        text = f"{value:.4g}" if isinstance(value, float) else str(value)
        yield f"{name.rpartition('.')[2]}={text}"
