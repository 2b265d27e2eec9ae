"""Several runs side by side, and an index of runs."""

from mezzanine_core.reports.comparison import comparison_html, comparison_page
from mezzanine_core.reports.index import index_html
from mezzanine_core.results import Estimate
from mezzanine_core.runs.history import PastRun


def config(**world):
    return {"seed": 0, "world": {"name": "points", **world}}


def test_only_settings_that_differ_are_listed(past):
    runs = [past("a", config=config(n=1, m=2)), past("b", config=config(n=3, m=2))]
    page = comparison_page(runs)
    assert [(row.name, row.values) for row in page.settings] == [("world.n", ("1", "3"))]
    assert page.components == ()
    assert page.versions == ()


def test_a_setting_that_only_one_run_has_differs(past):
    runs = [past("a", config=config(n=1)), past("b", config=config())]
    assert [row.values for row in comparison_page(runs).settings] == [("1", "-")]


def test_metrics_stand_side_by_side_with_their_intervals(past):
    shifted = {"action": {"r@10": Estimate(value=0.7, low=0.6, high=0.8)}}
    page = comparison_page([past("a"), past("b", metrics=shifted)])
    rows = {side.name: side.rows[0].values for side in page.metrics}
    assert rows["action"] == ("0.50 [0.40, 0.60]", "0.70 [0.60, 0.80]")
    assert rows["no_action"] == ("0.20 [0.10, 0.30]", "-")


def test_a_run_that_failed_can_be_compared(past, parsed, tmp_path):
    failed = PastRun(tmp_path / "x", "failed", recipe="toy", problem="DataError: <empty>")
    page = parsed(comparison_html([past("a"), failed]))
    assert "DataError: <empty>" in page.text
    assert "script" not in page.tags()


def test_repetitions_are_said_to_be_repetitions(past, parsed):
    assert "repetitions of one experiment" in parsed(comparison_html([past("a"), past("b")])).text
    other = past("c", fingerprint="cd" * 32)
    assert "repetitions" not in parsed(comparison_html([past("a"), other])).text


def test_an_index_lists_the_latest_first_and_links_what_is_there(past, parsed, tmp_path):
    early, late = past("a #1"), past("b", started="2026-02-02T00:00:00Z")
    (early.directory / "report.html").write_text("")
    page = parsed(index_html([early, late], tmp_path))
    assert page.text.index("2026-02-02") < page.text.index("2026-01-02")
    assert [link for link in page.values("href") if link.startswith("./")] == [
        "./a%20%231/report.html"
    ]


def test_an_empty_index_says_so(parsed):
    assert "There are no runs." in parsed(index_html([])).text
