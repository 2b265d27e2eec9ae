"""Fixtures of the tests in a browser: Chromium, and pages of every kind."""

from __future__ import annotations

import shutil
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from mezzanine_core.presentation import Group, Picture, Presentation
from mezzanine_core.reports.comparison import comparison_html
from mezzanine_core.reports.index import index_html
from mezzanine_core.reports.run_report import report_html
from mezzanine_core.results import (
    CacheCounts,
    ComponentRecord,
    Criterion,
    Estimate,
    RunRecord,
    Verdict,
)
from mezzanine_core.runs.history import PastRun, finished

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PLOT = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 300 200">
<defs><clipPath id="area"><rect width="300" height="180"/></clipPath></defs>
<g clip-path="url(#area)"><title>action: 62%</title>
<path d="M 10 180 L 290 20" style="stroke: #0072b2; fill: none"/></g>
<text x="150" y="195" style="font: 12px sans-serif; text-anchor: middle">Rank k</text></svg>"""


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A headless Chromium."""
    sync_api = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed; `nox -s browser` has it"
    )
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip("no Chromium is installed")
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@dataclass
class Tab:
    """An open page.

    Attributes:
        page: Playwright's page.
        said: What the console said, and errors of the page.
        asked: Addresses that were asked for, besides inline data.
    """

    page: Any
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def overflow(self) -> float:
        """Pixels by which the page is wider than the window."""
        wider: float = self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        return wider


@pytest.fixture
def open_page(browser: Any, pages: dict[str, Path]) -> Iterator[Any]:
    """Opens a page by its name, in a window and scheme."""
    contexts = []

    def call(name: str, width: int = 1280, scheme: str = "light") -> Tab:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True
        )
        contexts.append(context)
        tab = Tab(context.new_page())
        tab.page.on("console", lambda message: tab.said.append(message.text))
        tab.page.on("pageerror", lambda error: tab.said.append(str(error)))
        tab.page.on(
            "request",
            lambda request: (
                None if request.url.startswith("data:") else tab.asked.append(request.url)
            ),
        )
        tab.page.goto(pages[name].as_uri())
        return tab

    yield call
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A page of every kind."""
    root = tmp_path_factory.mktemp("pages")
    done, other = _run(root / "done"), _run(root / "other", seeds=[0, 1], label="BREAK")
    failed = PastRun(
        root / "failed",
        "failed",
        recipe="toy",
        started="2026-01-03T03:04:05Z",
        problem="DataError: too few samples",
    )
    html = {
        "run": report_html(done),
        "failed": report_html(failed, trace="Traceback\n  File somewhere\n" * 20),
        "comparison": comparison_html([done, other, failed], root),
        "index": index_html([done, other, failed], root),
    }
    for name, text in html.items():
        (root / f"{name}.html").write_text(text, encoding="utf-8")
    return {name: root / f"{name}.html" for name in html}


def _run(directory: Path, seeds: list[int] | None = None, label: Any = "MAKE") -> PastRun:
    directory.mkdir()
    (directory / "plot.svg").write_text(PLOT)
    (directory / "montage.png").write_bytes(_png(900, 400))
    (directory / "report.html").write_text("")
    seeds = seeds or [0]
    models = ("action", "no_action", "a_model_whose_name_is_longer_than_any_chart")
    record = RunRecord(
        metrics={model: _estimates(place) for place, model in enumerate(models)},
        deltas={"action_minus_no_action": _estimates(0), "action_minus_shuffled": _estimates(9)},
        verdict=Verdict(
            label=label,
            sentence="the model uses the action: against no action, mean rank +4.9 [+2.9, +7.1] "
            "and R@10 +0.221 [+0.100, +0.376]; against shuffled actions, +7.7 [+4.8, +11.4].",
            criteria=(Criterion(name="action_helps", outcome="met", detail="+4.9 (threshold 5)"),),
            warnings=("50 of 200 test samples have a twin in training",),
        ),
        data={"n_train": 600, "overlap": {"same_start": 8}, "world": {"games": ["hole", "seesaw"]}},
        diagnostics={"spread": {"mean_cosine": 0.36, "collapsed": False}},
        artifacts=("plot.svg", "montage.png", "model.safetensors"),
        presentation=Presentation(
            pictures=(
                Picture(file="plot.svg", title="Ranks", caption="See the left.", alt="A line."),
                Picture(file="montage.png", title="Frames", caption="Rows.", alt="Frames."),
                Picture(file="gone.png", title="Gone", caption="", alt="Nothing."),
            ),
            groups=(Group(title="Is it used?", models=models, deltas=("action_minus_no_action",)),),
            words={"action": "With the action.", "r@10": "Share; higher is better."},
        ),
        recipe="iphyre_latent_dynamics",
        fingerprint="ab" * 32,
        started="2026-01-02T03:04:05.000Z",
        config={"seeds": seeds, "world": {"name": "iphyre", "games": ["hole", "seesaw"] * 9}},
        origins={"seeds": "flag --seeds", "world.games": "configs/iphyre.yml, line 3"},
        components={
            "world": ComponentRecord(
                name="iphyre", distribution="mezzanine-worlds", version="0.1", fingerprint="c" * 64
            )
        },
        versions={"python": "CPython 3.11", "platform": "Linux-" + "x" * 90},
        settings={"device": "cpu", "command": "mezz run toy --seeds 0 " + "--flag value " * 20},
        cache=CacheCounts(requested=100, unique=90, cached=80, materialised=10, encoded=10),
        timings={"load": 1.0, "train": 3.0, "evaluate": 0.2, "total": 4.5},
    )
    return finished(directory, record)


def _estimates(place: int) -> dict[str, Estimate]:
    return {
        "r@10": Estimate(value=0.1 * place, low=-0.1, high=1, per_seed=(0.1, 0.2)),
        "mean_rank": Estimate(value=1234.5 + place, low=1000, high=1500),
    }


def _png(width: int, height: int) -> bytes:
    """A grey picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress((b"\x00" + b"\x99" * width) * height)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
