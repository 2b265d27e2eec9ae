"""The tracker ``jsonl``: a line of JSON for everything logged."""

import json
from datetime import datetime

import pytest

from mezzanine_core.builtin.jsonl import LOG, JsonlConfig, JsonlTracker


@pytest.fixture
def tracker(tmp_path):
    tracker = JsonlTracker(JsonlConfig())
    tracker.start("norms", tmp_path, {"seed": 3, "world": {"name": "points"}})
    return tracker


@pytest.fixture
def lines(tmp_path):
    """The lines so far, without their times."""

    def read():
        found = [json.loads(line) for line in (tmp_path / LOG).read_text().splitlines()]
        for line in found:
            assert datetime.fromisoformat(line.pop("time")).tzinfo is not None
        return found

    return read


def test_every_event_is_a_line_as_soon_as_it_comes(tracker, lines, tmp_path):
    config = {"seed": 3, "world": {"name": "points"}}
    expected = [{"event": "start", "recipe": "norms", "config": config}]
    assert lines() == expected
    tracker.log({"train/loss": 0.5}, step=40)
    expected.append({"event": "log", "step": 40, "values": {"train/loss": 0.5}})
    assert lines() == expected
    tracker.log({"test/r@10": 0.25})
    expected.append({"event": "log", "step": None, "values": {"test/r@10": 0.25}})
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "norms.png").write_bytes(b"12345")
    tracker.artifact(tmp_path / "figures" / "norms.png")
    expected.append({"event": "artifact", "path": "figures/norms.png", "bytes": 5})
    tracker.finish({"metrics": {}})
    expected.append({"event": "finish", "results": {"metrics": {}}})
    assert lines() == expected


def test_a_run_that_failed_has_no_results(tracker, lines):
    tracker.finish(None)
    assert lines()[-1] == {"event": "finish", "results": None}


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_that_are_not_finite_are_null(tracker, lines, value):
    tracker.log({"loss": value}, step=1)
    assert lines()[-1]["values"] == {"loss": None}


def test_a_run_that_never_started_leaves_nothing(tmp_path):
    JsonlTracker(JsonlConfig()).finish(None)
    assert list(tmp_path.iterdir()) == []
