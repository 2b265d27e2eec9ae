"""What is said about values that pydantic refuses."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from mezzanine_core.config.fields import Setting
from mezzanine_core.config.sources import OF_OTHER_VERSIONS, Given
from mezzanine_core.config.text import Shape, format_value
from mezzanine_core.errors import ConfigError, MezzError, PluginError

Path = tuple[str, ...]

_EXPECTED = {
    "int": "a whole number is expected",
    "float": "a number is expected",
    "bool": "true or false is expected",
    "string": "text is expected; put it in quotes",
    "list": "a list is expected",
    "tuple": "a list is expected",
    "dict": "a mapping is expected",
    "path": "a path is expected",
}
_RANGE = frozenset({"greater_than", "greater_than_equal", "less_than", "less_than_equal"})
_LENGTH = frozenset({"too_short", "too_long", "missing"})


def raise_all(problems: Sequence[MezzError], subject: str) -> None:
    """Raise one error that reports all problems; return where there are none.

    Args:
        problems: What is wrong, each naming its culprit.
        subject: Whose settings they are, such as ``iphyre_latent_dynamics``.

    Raises:
        MezzError: The problem itself where there is just one; otherwise a ``ConfigError``.
    """
    if len(problems) == 1:
        raise problems[0]
    if problems:
        lines = [f"  {'. '.join(filter(None, (each.message, each.hint)))}" for each in problems]
        raise ConfigError("\n".join([f"{len(problems)} settings of {subject} are wrong:", *lines]))


def translate(
    error: ValidationError,
    settings: Mapping[Path, Setting],
    given: Mapping[Path, Given],
    owners: Mapping[Path, str],
    known: Collection[Path] = (),
) -> Iterator[MezzError]:
    """Say what pydantic found in terms of flags, variables and lines of files.

    Args:
        error: What pydantic raised for a whole model.
        settings: The model's settings by path.
        given: The values that were given, by the path of their setting.
        owners: What a nested model is called, by its path; ``()`` is the whole.
        known: Paths that are reported already; what stands at or below them is passed over.

    Yields:
        One error for each value that is wrong, however many reasons pydantic gives for it.
    """
    found: dict[tuple[Path, tuple[Any, ...]], list[Any]] = {}
    for detail in error.errors():
        path, rest = _split(detail["loc"], settings)
        if any(path[: len(prefix)] == prefix for prefix in known):
            continue
        # A missing item is a matter of the list's length, not of the item.
        of_item = rest and isinstance(rest[0], int) and detail["type"] != "missing"
        item = rest[:1] if of_item else ()
        found.setdefault((path, item), []).append(detail)
    with_wrong_items = {path for path, item in found if item}
    for (path, item), details in found.items():
        if not item and path in with_wrong_items:
            # Wrong items do not count, so pydantic finds the list too short besides.
            continue
        if path not in settings:
            where = owners.get(path, ".".join(path))
            messages = [_custom(detail) or (detail["msg"], None) for detail in details]
            for message, hint in messages:
                yield ConfigError(f"{where}: {message}", hint=hint)
        elif path in given:
            yield _of_given(given[path], item, details)
        else:
            yield _of_default(settings[path], details)


def _split(loc: Sequence[Any], settings: Mapping[Path, Setting]) -> tuple[Path, tuple[Any, ...]]:
    for end in range(len(loc), 0, -1):
        if tuple(loc[:end]) in settings:
            return tuple(loc[:end]), tuple(loc[end:])
    return tuple(str(part) for part in loc), ()


def _of_given(given: Given, item: tuple[Any, ...], details: list[Any]) -> MezzError:
    shape = given.setting.shape
    where = given.label
    if item:
        where += f": item {item[0] + 1}"
        shape = shape.items[min(item[0], len(shape.items) - 1)] if shape.items else shape
    reasons = dict.fromkeys(_reason(detail, shape) for detail in details)
    message = "; or ".join(reason for reason, _ in reasons)
    hint = next((hint for _, hint in reasons if hint), None)
    if given.origin.startswith("preset "):
        return PluginError(
            f"{where}: {message}", hint="The preset is wrong; report this to its author."
        )
    if given.origin.startswith("recorded "):
        return ConfigError(f"{where}: {message}", hint=OF_OTHER_VERSIONS)
    return ConfigError(f"{where}: {message}", hint=hint)


def _of_default(setting: Setting, details: list[Any]) -> MezzError:
    if details[0]["type"] == "missing":
        return ConfigError(
            f"the setting {setting.dotted!r} is required",
            hint=f"Give it as --{setting.dotted.replace('_', '-')}, or in the file of --config.",
        )
    return PluginError(
        f"the default of {setting.dotted!r} is wrong: {_reason(details[0], setting.shape)[0]}",
        hint="Report this to the author of the plugin.",
    )


def _reason(detail: Any, shape: Shape) -> tuple[str, str | None]:
    """What is wrong with one value, and what to do about it."""
    if custom := _custom(detail):
        return custom
    kind, value = detail["type"], detail["input"]
    shown = _shown(value)
    if kind in _RANGE or kind == "multiple_of":
        return f"{shown} is out of range; permitted: {shape.limits or detail['msg']}", None
    if kind in ("literal_error", "enum") and shape.choices:
        return _not_a_choice(value, shape)
    if kind in ("literal_error", "enum"):
        return f"{shown} is not {detail['ctx']['expected']}", None
    if kind in _LENGTH:
        return _wrong_length(value, shape, detail)
    if kind == "finite_number":
        return f"{shown} is not a finite number", None
    if kind == "int_from_float":
        return f"{shown} is not a whole number", None
    expected = _EXPECTED.get(kind.partition("_")[0])
    if expected is not None and kind.endswith(("_type", "_parsing", "_parsing_size")):
        return f"{shown} is not valid: {expected}", None
    return f"{shown} is not valid: {detail['msg'][:1].lower()}{detail['msg'][1:]}", None


def _custom(detail: Any) -> tuple[str, str | None] | None:
    """The words of a validator that the model brings itself."""
    cause = detail.get("ctx", {}).get("error")
    if isinstance(cause, MezzError):
        return cause.message, cause.hint
    return None if cause is None else (str(cause), None)


def _not_a_choice(value: Any, shape: Shape) -> tuple[str, str | None]:
    choices = [str(choice) for choice in shape.choices]
    near = difflib.get_close_matches(str(value), choices, n=1)
    hint = f"Did you mean {near[0]!r}?" if near else None
    if shape.optional:
        choices.append("none")
    return f"{_shown(value)} is not one of {', '.join(choices)}", hint


def _wrong_length(value: Any, shape: Shape, detail: Any) -> tuple[str, str | None]:
    if shape.kind != "list":
        return f"{_shown(value)} is not valid: {detail['msg'].lower()}", None
    items = f"{len(value)} {'item' if len(value) == 1 else 'items'}"
    if shape.fixed:
        return f"{items}; exactly {len(shape.items)} are needed", None
    return f"{items}; permitted: {shape.limits}", None


def _shown(value: Any) -> str:
    """A value as the user wrote it: text that could be taken for words of the message is quoted."""
    if not isinstance(value, str):
        return _shortened(format_value(value))
    try:
        float(value)
    except ValueError:
        return _shortened(repr(value))
    return _shortened(value)


def _shortened(text: str, most: int = 60) -> str:
    return text if len(text) <= most else f"{text[:most]}..."
