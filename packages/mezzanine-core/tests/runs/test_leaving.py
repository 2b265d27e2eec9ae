"""The report that every run leaves, however it ends."""

import logging

import pytest

from mezzanine_core.errors import DataError, RunError
from mezzanine_core.reports import run_report
from mezzanine_core.results import RunRecord


def test_a_run_leaves_its_report_among_its_files(run, tree):
    _, out = run()
    assert "report.html" in tree(out)
    assert "partial.json" not in tree(out)
    assert "point_norms" in (out / "report.html").read_text("utf-8")


@pytest.mark.parametrize(("then", "error"), [("refuse", DataError), ("break", RunError)])
def test_a_run_that_fails_leaves_what_it_knew(run, tmp_path, then, error):
    with pytest.raises(error):
        run({"then": then, "where": "end"})
    out = tmp_path / "out"
    partial = RunRecord.model_validate_json((out / "partial.json").read_bytes())
    assert partial.metrics == {}
    assert partial.cache.requested > 0
    assert partial.origins["then"] == "flag --then"
    page = (out / "report.html").read_text("utf-8")
    assert "Traceback" in page
    assert "flag --then" in page


def test_reports_are_moved_aside_with_their_run(run, tmp_path, tree):
    with pytest.raises(DataError):
        run({"then": "refuse"})
    run()
    previous = [name for name in tree(tmp_path / "out") if name.startswith("previous/")]
    assert {name.rsplit("/", 1)[1] for name in previous} >= {"report.html", "partial.json"}


def test_a_report_that_cannot_be_made_does_not_fail_the_run(run, monkeypatch, caplog):
    def fail(*_, **__):
        raise ValueError("no ink")

    monkeypatch.setattr(run_report, "report_html", fail)
    with caplog.at_level(logging.WARNING):
        record, out = run()
    assert record.metrics
    assert (out / "results.json").exists()
    assert not (out / "report.html").exists()
    assert "report.html: ValueError: no ink" in caplog.text
