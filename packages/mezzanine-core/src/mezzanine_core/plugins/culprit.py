"""Whose error it is, where something raised that nobody foresaw."""

from __future__ import annotations

import traceback

from mezzanine_core.plugins.discovery import plugin_entry_points


def culprit(error: BaseException) -> str:
    """The distribution of the innermost frame that belongs to core or to a plugin."""
    owners = {"mezzanine_core": "mezzanine-core"}
    for entry in plugin_entry_points():
        if entry.dist is not None:
            owners[entry.value.partition(":")[0].partition(".")[0]] = entry.dist.name
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    for frame in reversed(frames):
        package = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        if package in owners:
            return owners[package]
    return "mezzanine-core"
