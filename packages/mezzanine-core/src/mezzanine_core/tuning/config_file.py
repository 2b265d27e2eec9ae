"""The chosen settings as a file that ``mezz run --config`` takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from mezzanine_core.config.files import parse_value
from mezzanine_core.config.resolve import Resolved

_NOT_WRITTEN = ("default", "seed")


class _Dumper(yaml.SafeDumper):
    """Quotes text that the project's own reader, YAML 1.2, would take for something else."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = None if _is_text(value) else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


def _is_text(value: str) -> bool:
    try:
        return bool(parse_value(value) == value)
    except ValueError:
        return False


_Dumper.add_representer(str, _text)


def config_text(resolved: Resolved, comment: str) -> str:
    """The file: every setting of recipe and components that is not a model's default.

    What a preset sets is among them, so that the file works with the recipe itself as well.

    Args:
        resolved: The run whose settings are written.
        comment: What stands above them; its lines become comments.
    """
    settings: dict[str, Any] = {}
    dumped = resolved.config.model_dump(mode="json")
    for name, origin in resolved.origins.items():
        parts = name.split(".")
        names_component = len(parts) == 2 and parts[0] in resolved.components and parts[1] == "name"
        if parts[0] not in dumped or (origin in _NOT_WRITTEN and not names_component):
            continue
        value, level = _value(dumped, parts), settings
        for part in parts[:-1]:
            level = level.setdefault(part, {})
        level[parts[-1]] = value
    lines = [f"# {line}".rstrip() for line in comment.splitlines()]
    return "\n".join([*lines, yaml_text(settings)])


def yaml_text(settings: Mapping[str, Any]) -> str:
    """Plain values as YAML that :func:`~mezzanine_core.config.load_config_file` reads back."""
    return yaml.dump(dict(settings), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)


def _value(dumped: Mapping[str, Any], parts: list[str]) -> Any:
    value: Any = dumped
    for part in parts:
        value = value[part]
    return value
