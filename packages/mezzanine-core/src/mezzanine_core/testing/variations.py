"""Another valid value for each setting, found from the configuration model where it shows one."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from mezzanine_core.config.fields import Path, Setting, settings_of
from mezzanine_core.config.models import UNFINGERPRINTED
from mezzanine_core.config.text import Shape
from mezzanine_core.errors import ConfigError

NUMBERS = (1, 2, 3, 8, 16, 64, 0)
FRACTIONS = (0.5, 1.0, 2.0, 0.1, 0.0)


@dataclass(frozen=True)
class Varied:
    """Configurations that differ from one in a single setting.

    Attributes:
        fingerprinted: Dotted setting → the configuration, for those that say what comes out.
        unfingerprinted: The same for those that only say how it is computed.
        missing: Settings of which no other valid value is known.
    """

    fingerprinted: Mapping[str, Any] = field(default_factory=dict)
    unfingerprinted: Mapping[str, Any] = field(default_factory=dict)
    missing: tuple[str, ...] = ()


def varied(config: Any, given: Mapping[str, Any], unused: Collection[str]) -> Varied:
    """Change every setting of a configuration, one at a time.

    Args:
        config: An instance of a configuration model.
        given: Dotted setting → another value.
        unused: Dotted settings to leave out.

    Raises:
        ConfigError: If ``given`` or ``unused`` name a setting that there is not, or a value is the
            present one or not permitted.
    """
    settings = {each.dotted: each for each in settings_of(type(config)) if each.path != ("name",)}
    if unknown := sorted({*given, *unused} - settings.keys()):
        raise ConfigError(
            f"the Subject names {', '.join(unknown)}, which {type(config).__name__} does not have",
            hint=f"Its settings are {', '.join(settings)}.",
        )
    kept: dict[bool, dict[str, Any]] = {True: {}, False: {}}
    missing = []
    for name, setting in settings.items():
        if name in unused:
            continue
        counts = not any(mark is UNFINGERPRINTED for mark in setting.info.metadata)
        if name in given:
            kept[counts][name] = _given(config, setting, given[name])
        elif (other := _found(config, setting)) is not None:
            kept[counts][name] = other
        else:
            missing.append(name)
    return Varied(kept[True], kept[False], tuple(missing))


def _given(config: Any, setting: Setting, value: Any) -> Any:
    try:
        changed = _with(config, setting.path, value)
    except ValidationError as error:
        raise ConfigError(
            f"the variation {setting.dotted}={value!r} is refused: {error.errors()[0]['msg']}",
            hint="Give a valid value in `variations` of the Subject.",
        ) from error
    if _value(changed, setting.path) == _value(config, setting.path):
        raise ConfigError(
            f"the variation {setting.dotted}={value!r} is what the setting is already",
            hint="Give another value in `variations` of the Subject.",
        )
    return changed


def _found(config: Any, setting: Setting) -> Any | None:
    present = _value(config, setting.path)
    for candidate in candidates(setting.shape, present):
        try:
            changed = _with(config, setting.path, candidate)
        except ValidationError:
            continue
        if _value(changed, setting.path) != present:
            return changed
    return None


def candidates(shape: Shape, present: Any) -> Iterator[Any]:
    """Values that a setting of that shape may have, likely ones first; some are not permitted."""
    match shape.kind:
        case "bool":
            yield not present
        case "int":
            if isinstance(present, int):
                yield from (present + 1, present - 1, 2 * present, present // 2)
            yield from NUMBERS
        case "float":
            if isinstance(present, int | float):
                yield from (present / 2, 2 * present, (1 + present) / 2, present + 1)
            yield from FRACTIONS
        case "list":
            yield from _lists(shape, list(present or ()))
        case "other":
            yield from itertools.chain(*(candidates(member, present) for member in shape.items))
        case _:
            yield from (choice for choice in shape.choices if choice != present)
    if shape.optional and present is not None:
        yield None


def _lists(shape: Shape, present: list[Any]) -> Iterator[list[Any]]:
    if not present:
        yield from ([item] for item in itertools.islice(candidates(shape.items[0], None), 20))
        return
    others = itertools.islice(candidates(shape.items[0], present[0]), 20)
    yield from ([other, *present[1:]] for other in others)
    yield present[:-1]
    yield present[::-1]


def _with(config: Any, path: Path, value: Any) -> Any:
    data = config.model_dump()
    level = data
    for name in path[:-1]:
        level = level[name]
    level[path[-1]] = value
    return type(config).model_validate(data)


def _value(config: Any, path: Path) -> Any:
    for name in path:
        config = getattr(config, name)
    return config
