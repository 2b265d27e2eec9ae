"""How settings are written as text: on the command line, in the environment and in help.

A field's annotation is reduced to a :class:`Shape`. Text is split and matched by it; whether the
outcome is permitted is left to pydantic.
"""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import PurePath
from typing import Annotated, Any, Literal

from pydantic.fields import FieldInfo

from mezzanine_core.config.files import parse_value

ShapeKind = Literal["bool", "int", "float", "text", "path", "choice", "list", "other"]

_LISTS = (list, tuple, set, frozenset, Sequence, typing.Sequence)
# Where a string can mean nothing else, files may write as flags do: `none`, or `a,b`.
_NEVER_TEXT: frozenset[ShapeKind] = frozenset({"bool", "int", "float", "list"})
_LONGEST_METAVAR = 30
_METAVARS: dict[ShapeKind, str] = {
    "bool": "BOOL",
    "int": "INT",
    "float": "FLOAT",
    "text": "TEXT",
    "path": "PATH",
    "other": "JSON",
}


@dataclass(frozen=True, slots=True)
class Shape:
    """What a field takes, as far as reading and describing text needs it.

    Attributes:
        kind: The field's type; ``other`` is everything that is written as JSON (or YAML).
        optional: Whether ``None`` is permitted; it is written ``none``.
        choices: The values there are to choose from: where ``kind`` is ``choice`` they are all that
            is permitted, otherwise (an ``enum`` among a field's extras for its JSON schema) they
            are known to be good.
        items: Shapes of a list's items: one for all of them, or one for each where ``fixed``.
            Where ``kind`` is ``other``, shapes of the members of a union.
        fixed: Whether the list has exactly as many items as there are shapes.
        limits: Permitted range or length in words, such as ``0 < x <= 1``; empty where unlimited.
    """

    kind: ShapeKind
    optional: bool = False
    choices: tuple[Any, ...] = ()
    items: tuple[Shape, ...] = ()
    fixed: bool = False
    limits: str = ""


def shape_of(annotation: Any, metadata: Iterable[Any] = ()) -> Shape:
    """Reduce a field's annotation and its metadata (``Field(ge=…)`` and the like) to a shape."""
    marks = list(metadata)
    while typing.get_origin(annotation) is Annotated:
        annotation, *inner = typing.get_args(annotation)
        for mark in inner:
            marks.extend([mark, *mark.metadata] if isinstance(mark, FieldInfo) else [mark])
    optional = False
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        members = [arg for arg in typing.get_args(annotation) if arg is not type(None)]
        optional = len(members) < len(typing.get_args(annotation))
        if len(members) > 1:
            return Shape("other", optional, items=tuple(map(shape_of, members)))
        inner_shape = shape_of(members[0], marks)
        return _replace(inner_shape, optional=optional or inner_shape.optional)
    if typing.get_origin(annotation) is Literal:
        literals = typing.get_args(annotation)
        named = tuple(value for value in literals if value is not None)
        return Shape("choice", optional=len(named) < len(literals), choices=named)
    if typing.get_origin(annotation) in _LISTS or annotation in (list, tuple):
        return _list_shape(annotation, marks)
    return _scalar_shape(annotation, marks)


def _replace(shape: Shape, *, optional: bool) -> Shape:
    return Shape(shape.kind, optional, shape.choices, shape.items, shape.fixed, shape.limits)


def _scalar_shape(annotation: Any, marks: list[Any]) -> Shape:
    if not isinstance(annotation, type):
        return Shape("other")
    if issubclass(annotation, Enum):
        return Shape("choice", choices=tuple(member.value for member in annotation))
    kinds: tuple[tuple[type, ShapeKind], ...] = (
        (bool, "bool"),
        (int, "int"),
        (float, "float"),
        (str, "text"),
        (PurePath, "path"),
    )
    for base, kind in kinds:
        if issubclass(annotation, base):
            return Shape(kind, choices=_known(marks), limits=_range(marks))
    return Shape("other")


def _known(marks: list[Any]) -> tuple[Any, ...]:
    extras = [getattr(mark, "json_schema_extra", None) for mark in marks]
    return next(
        (tuple(each["enum"]) for each in extras if isinstance(each, dict) and "enum" in each), ()
    )


def _list_shape(annotation: Any, marks: list[Any]) -> Shape:
    arguments = typing.get_args(annotation) or (str,)
    variadic = typing.get_origin(annotation) is not tuple or arguments[-1] is Ellipsis
    items = tuple(shape_of(argument) for argument in arguments if argument is not Ellipsis)
    if any(item.kind in ("list", "other") for item in items):
        return Shape("other")
    return Shape("list", items=items, fixed=not variadic, limits=_length(marks))


def _bound(marks: list[Any], name: str) -> Any:
    return next((value for mark in marks if (value := getattr(mark, name, None)) is not None), None)


def _range(marks: list[Any]) -> str:
    ge, gt, le, lt = (_bound(marks, name) for name in ("ge", "gt", "le", "lt"))
    multiple = _bound(marks, "multiple_of")
    parts = []
    low = f"{ge} <=" if ge is not None else f"{gt} <" if gt is not None else ""
    high = f"<= {le}" if le is not None else f"< {lt}" if lt is not None else ""
    if low and high:
        parts.append(f"{low} x {high}")
    elif low:
        parts.append(f"x >= {ge}" if ge is not None else f"x > {gt}")
    elif high:
        parts.append(f"x {high}")
    if multiple is not None:
        parts.append(f"a multiple of {multiple}")
    return ", ".join(parts)


def _length(marks: list[Any]) -> str:
    low, high = _bound(marks, "min_length"), _bound(marks, "max_length")
    parts = []
    if low:
        parts.append(f"at least {low}")
    if high is not None:
        parts.append(f"at most {high}")
    noun = "item" if (high if high is not None else low) == 1 else "items"
    return f"{' and '.join(parts)} {noun}" if parts else ""


def parse_text(text: str, shape: Shape) -> Any:
    """Read one piece of text by a shape.

    Lists are split at commas; a list or anything nested may also be written as JSON. ``none``
    stands for ``None`` where that is permitted. Numbers and the like stay text, for pydantic to
    convert or refuse.

    Raises:
        ValueError: If text that has to be JSON cannot be read as such.
    """
    if shape.optional and text.strip().lower() in ("none", "null"):
        return None
    if shape.kind == "choice":
        return _choice(text.strip(), shape)
    if shape.kind == "other":
        return parse_value(text)
    if shape.kind == "list":
        if text.lstrip().startswith("["):
            return parse_value(text)
        parts = [part.strip() for part in text.split(",")] if text.strip() else []
        return [parse_text(part, item) for part, item in _with_items(parts, shape)]
    return text


def coerce(value: Any, shape: Shape, *, text: bool) -> Any:
    """Bring a raw value into the form that pydantic should see.

    Args:
        value: What a source gave: a plain value from a file or a preset, a string from the
            environment, a string, a list of strings (a repeated flag) or a boolean from flags.
        shape: The field's shape.
        text: Whether strings are text to be read by the shape, rather than values.

    Raises:
        ValueError: If text that has to be JSON cannot be read as such.
    """
    if text and isinstance(value, list | tuple):
        if shape.kind != "list":
            return coerce(value[-1], shape, text=True)
        parts = [parse_text(part, shape) if isinstance(part, str) else [part] for part in value]
        value = [item for part in parts for item in (part or [])]
    elif isinstance(value, str) and (text or shape.kind in _NEVER_TEXT):
        value = parse_text(value, shape)
    if shape.kind == "list" and isinstance(value, list | tuple):
        return [_plain(item, item_shape) for item, item_shape in _with_items(value, shape)]
    return _plain(value, shape)


def _plain(value: Any, shape: Shape) -> Any:
    if isinstance(value, bool) and shape.kind in ("int", "float"):
        # pydantic would take true for 1: a slip of the pen would become a setting without a word.
        return "true" if value else "false"
    if shape.kind == "choice" and value is not None:
        return _choice(value, shape)
    return value


def _choice(value: Any, shape: Shape) -> Any:
    """The choice that is written like ``value``, or ``value`` itself for pydantic to refuse."""
    return next((choice for choice in shape.choices if str(choice) == str(value)), value)


def _with_items(parts: Sequence[Any], shape: Shape) -> Iterable[tuple[Any, Shape]]:
    for index, part in enumerate(parts):
        yield part, shape.items[min(index, len(shape.items) - 1)]


def format_value(value: Any) -> str:
    """Write a value the way :func:`parse_text` reads it."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Enum):
        return format_value(value.value)
    if isinstance(value, list | tuple):
        parts = [format_value(item) for item in value]
        nested = any(isinstance(item, list | tuple | dict) for item in value)
        unclear = any("," in part or part.startswith("[") or part != part.strip() for part in parts)
        if nested or unclear or parts in ([], [""]):
            return json.dumps(list(value), default=format_value)
        return ",".join(parts)
    if isinstance(value, dict):
        return json.dumps(value, default=format_value)
    return str(value)


def metavar(shape: Shape) -> str:
    """What stands for a value in help, such as ``INT``, ``drop|keep`` or ``FLOAT,...``."""
    if shape.kind == "choice":
        choices = "|".join(str(choice) for choice in shape.choices)
        return choices if len(choices) <= _LONGEST_METAVAR else "NAME"
    if shape.kind == "list":
        items = ",".join(metavar(item) for item in shape.items)
        return items if shape.fixed else f"{items},..."
    if shape.kind == "other" and shape.items:
        return "|".join(metavar(member) for member in shape.items)
    return _METAVARS[shape.kind]
