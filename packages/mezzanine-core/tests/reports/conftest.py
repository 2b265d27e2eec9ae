"""Fixtures of the tests of reports: records of runs, and what a page consists of."""

from __future__ import annotations

from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from mezzanine_core.results import CacheCounts, ComponentRecord, Estimate, RunRecord, Verdict
from mezzanine_core.runs.history import PastRun, finished

VOID = frozenset({"meta", "link", "img", "br"})


class Page(HTMLParser):
    """Elements of a page with their attributes, and its text; tags that do not match fail."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open[-1:] != ["style"]:
            self.text += data

    def tags(self) -> set[str]:
        """Names of all elements."""
        return {tag for tag, _ in self.elements}

    def values(self, attribute: str) -> list[str]:
        """All values of an attribute."""
        return [attrs[attribute] or "" for _, attrs in self.elements if attribute in attrs]


@pytest.fixture(scope="session")
def parsed() -> Callable[[str], Page]:
    """Takes a page apart."""
    return Page


@pytest.fixture(scope="session")
def record() -> Callable[..., RunRecord]:
    """Makes the record of a run that found something, with some fields as told."""

    def call(**fields: Any) -> RunRecord:
        return RunRecord(
            **{
                "metrics": {
                    "action": {
                        "r@10": Estimate(value=0.5, low=0.4, high=0.6, per_seed=(0.45, 0.55))
                    },
                    "no_action": {"r@10": Estimate(value=0.2, low=0.1, high=0.3)},
                },
                "deltas": {
                    "action_minus_no_action": {"r@10": Estimate(value=0.3, low=0.2, high=0.4)}
                },
                "verdict": Verdict(
                    label="MAKE", sentence="the action helps by 0.3.", warnings=("splits overlap",)
                ),
                "data": {"n_train": 40, "overlap": {"same_start": 3}, "world": {"fps": 60}},
                "diagnostics": {"spread": {"collapsed": False}, "curves": [1.0, 0.5]},
                "recipe": "toy",
                "fingerprint": "ab" * 32,
                "started": "2026-01-02T03:04:05.000Z",
                "config": {"seed": 0, "seeds": [0, 1], "world": {"name": "points", "n_train": 40}},
                "origins": {"seed": "default", "world.n_train": "flag --n-train"},
                "components": {
                    "world": ComponentRecord(
                        name="points", distribution="toy-runs", version="1.5", fingerprint="w" * 64
                    )
                },
                "versions": {"python": "CPython 3.11"},
                "settings": {"device": "cpu", "command": "mezz run toy --n-train 40"},
                "cache": CacheCounts(requested=10, unique=8, cached=6, materialised=2, encoded=2),
                "timings": {"load": 1.0, "train": 3.0, "total": 4.5},
                **fields,
            }
        )

    return call


@pytest.fixture
def past(record: Callable[..., RunRecord], tmp_path: Path) -> Callable[..., PastRun]:
    """Makes a run in a directory of its own, of which nothing but the record is there."""

    def call(name: str = "out", **fields: Any) -> PastRun:
        directory = tmp_path / name
        directory.mkdir(exist_ok=True)
        return finished(directory, record(**fields))

    return call
