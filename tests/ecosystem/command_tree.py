"""Prints every command of `mezz` as a JSON list of its words; runs where core is installed."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

from typer.main import get_command

from mezzanine_core.cli.app import app


def walk(group: Any, context: Any, words: list[str]) -> Iterator[list[str]]:
    """The command itself, and all below it."""
    yield words
    if not hasattr(group, "list_commands"):
        return
    for name in group.list_commands(context):
        _, command, _ = group.resolve_command(context, [name])
        yield from walk(command, group.context_class(command, parent=context), [*words, name])


if __name__ == "__main__":
    root = get_command(app)
    json.dump(list(walk(root, root.context_class(root), [])), sys.stdout)
