"""Addresses from one page to the report of a run."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote

from mezzanine_core.runs.history import PastRun
from mezzanine_core.runs.state import REPORT


def link_to(run: PastRun, beside: Path | None) -> str:
    """Relative address of the report of a run; empty where there is none to link to.

    Args:
        run: The run.
        beside: Directory of the page that links.
    """
    report = run.directory / REPORT
    if beside is None or not report.is_file():
        return ""
    try:
        relative = os.path.relpath(report.resolve(), beside.resolve())
    except ValueError:  # on another drive
        return ""
    return "./" + quote(relative.replace(os.sep, "/"), errors="surrogateescape")
