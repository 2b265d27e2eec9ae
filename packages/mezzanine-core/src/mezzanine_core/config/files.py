"""Configuration files: YAML 1.2 (core schema) or JSON, with the line of every key.

PyYAML speaks YAML 1.1, which reads ``1e-3`` as text, ``no`` as false and ``012`` as ten. The loader
here follows the core schema of YAML 1.2 instead (https://yaml.org/spec/1.2.2/#103-core-schema).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from mezzanine_core.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Located:
    """A value and where it stands.

    Attributes:
        value: A plain value, or, for a mapping, a dict from keys to further located values.
        line: Line of its key in the file, counted from 1; ``None`` outside files.
    """

    value: Any
    line: int | None = None


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """A configuration file that was read.

    Attributes:
        path: Where it lies, as given.
        values: Its top-level keys.
    """

    path: Path
    values: Mapping[str, Located]


def locate(value: Any) -> Located:
    """Wrap a plain value, with the mappings in it, as located values that have no line."""
    if isinstance(value, Mapping):
        return Located({str(key): locate(item) for key, item in value.items()})
    return Located(value)


def plain(located: Located) -> Any:
    """The plain value of a located one."""
    if isinstance(located.value, dict):
        return {key: plain(item) for key, item in located.value.items()}
    return located.value


def load_config_file(path: Path) -> ConfigFile:
    """Read a configuration file.

    Args:
        path: A YAML file, or a JSON file if its name ends in ``.json``. An empty file is an empty
            mapping.

    Raises:
        ConfigError: If the file cannot be read or parsed, holds no mapping, or gives a key twice;
            the message names file and line.
    """
    text = _read(path)
    if path.suffix.lower() == ".json" and text.strip():
        _check_json(path, text)
        # Valid JSON has tabs between tokens only, where YAML knows just spaces.
        text = text.replace("\t", " ")
    try:
        return ConfigFile(path, _compose(text, str(path)))
    except yaml.YAMLError as error:
        raise _syntax_error(path, text, error) from error
    except RecursionError:
        raise ConfigError(f"{path}: nested too deeply to be read") from None


def parse_value(text: str) -> Any:
    """Read one JSON (or YAML) value from text.

    Raises:
        ValueError: If the text is neither; the message is one line.
    """
    try:
        return json.loads(text)
    except ValueError:
        # YAML is nearly a superset, but refuses some characters that JSON takes.
        pass
    try:
        return yaml.load(text, _Loader)
    except (yaml.YAMLError, RecursionError) as error:
        problem = getattr(error, "problem", None) or str(error)
        raise ValueError(f"{text!r} is neither JSON nor YAML: {problem}") from error


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise ConfigError(
            f"{path}: there is no such configuration file",
            hint="Give --config the path of a YAML or JSON file.",
        ) from None
    except IsADirectoryError:
        raise ConfigError(
            f"{path}: is a directory, not a configuration file",
            hint="Give --config the path of a YAML or JSON file.",
        ) from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            f"{path}:{line}: is not UTF-8 text (byte 0x{error.object[error.start]:02x})",
            hint="Save the file as UTF-8.",
        ) from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error


def _check_json(path: Path, text: str) -> None:
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        raise ConfigError(f"{path}:{error.lineno}: is not JSON: {error.msg}") from error


def _syntax_error(path: Path, text: str, error: yaml.YAMLError) -> ConfigError:
    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark is not None else 1
        problem = ": ".join(part for part in (error.context, error.problem) if part)
        if "\\t" in problem:
            problem += " (YAML is indented with spaces, not with tabs)"
        return ConfigError(f"{path}:{line}: cannot be parsed: {problem}")
    if isinstance(error, yaml.reader.ReaderError):
        line = text.count("\n", 0, error.position) + 1
        return ConfigError(f"{path}:{line}: cannot be parsed: {error.reason}")
    return ConfigError(f"{path}: cannot be parsed: {error}")


def _compose(text: str, name: str) -> dict[str, Located]:
    loader = _Loader(text)
    try:
        root = loader.get_single_node()
        if root is None:
            return {}
        line = root.start_mark.line + 1
        _check_nodes(loader, root, name, checked=set(), inside=frozenset())
        value = _located(loader, root, line).value
    finally:
        loader.dispose()
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ConfigError(
            f"{name}:{line}: holds {_name_of(value)}, not settings",
            hint="Write one `key: value` pair a line.",
        )
    return value


def _located(loader: _Loader, node: yaml.Node, line: int) -> Located:
    if not isinstance(node, yaml.MappingNode):
        return Located(loader.construct_object(node, deep=True), line)
    loader.flatten_mapping(node)
    values = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        values[key] = _located(loader, value_node, key_node.start_mark.line + 1)
    return Located(values, line)


def _check_nodes(
    loader: _Loader, node: yaml.Node, name: str, *, checked: set[int], inside: frozenset[int]
) -> None:
    """Refuse keys that are given twice or are not text, and aliases that lead back to themselves.

    It runs before merge keys are resolved, since what they bring may be overridden.
    """
    if id(node) in inside:
        raise ConfigError(f"{name}:{node.start_mark.line + 1}: the anchor refers to itself")
    if id(node) in checked or not isinstance(node, yaml.CollectionNode):
        return
    checked.add(id(node))
    inside |= {id(node)}
    if isinstance(node, yaml.MappingNode):
        _check_keys(loader, [key for key, _ in node.value], name)
        children = [value for _, value in node.value]
    else:
        children = node.value
    for child in children:
        _check_nodes(loader, child, name, checked=checked, inside=inside)


def _check_keys(loader: _Loader, keys: list[yaml.Node], name: str) -> None:
    first_lines: dict[str, int] = {}
    for node in keys:
        if node.tag == "tag:yaml.org,2002:merge":
            continue
        key = loader.construct_object(node, deep=True)
        line = node.start_mark.line + 1
        if not isinstance(key, str):
            raise ConfigError(f"{name}:{line}: the key {key!r} is not text; put it in quotes")
        if key in first_lines:
            raise ConfigError(
                f"{name}:{line}: the key {key!r} is given twice, first in line {first_lines[key]}",
                hint="Keep one of them.",
            )
        first_lines[key] = line


def _name_of(value: Any) -> str:
    return "a list" if isinstance(value, list) else f"the value {value!r}"


class _Loader(yaml.SafeLoader):
    """A safe loader that follows the core schema of YAML 1.2."""


_Loader.yaml_implicit_resolvers = {}
_TAG = "tag:yaml.org,2002:"
_FLOAT = (
    r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)
for _tag, _pattern, _first in (
    ("null", "~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", "true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", "[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    ("float", _FLOAT, "-+.0123456789"),
    ("merge", "<<", "<"),
):
    _Loader.add_implicit_resolver(_TAG + _tag, re.compile(f"(?:{_pattern})$"), _first)


def _construct_int(loader: _Loader, node: yaml.ScalarNode) -> int:
    text = loader.construct_scalar(node)
    try:
        return int(text, 0) if text[:2] in ("0o", "0x") else int(text)
    except ValueError:
        problem = f"{text[:20]!r}... is not a whole number that can be read"
        raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark) from None


def _construct_float(loader: _Loader, node: yaml.ScalarNode) -> float:
    text = loader.construct_scalar(node).lower()
    try:
        return float(text.replace(".inf", "inf").replace(".nan", "nan"))
    except ValueError:
        problem = f"{text[:20]!r} is not a number"
        raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark) from None


def _construct_str(loader: _Loader, node: yaml.ScalarNode) -> str:
    # JSON writes a character beyond the basic plane as a pair of \\u escapes, YAML as one \\U.
    text: str = loader.construct_scalar(node)
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


_Loader.add_constructor(f"{_TAG}int", _construct_int)
_Loader.add_constructor(f"{_TAG}float", _construct_float)
_Loader.add_constructor(f"{_TAG}str", _construct_str)
