"""How the outcome of a run is printed."""

import json
from pathlib import Path

import pytest

from mezzanine_core.cli.run_report import print_results
from mezzanine_core.results import CacheCounts, Criterion, Estimate, RunRecord, Verdict

MODELS = ("action", "no_action", "persistence", "shuffled")
METRICS = ("cosine", "mean_rank", "median_rank", "r@1", "r@10", "mrr")


def estimate(value):
    return Estimate(value=value, low=value - 0.25, high=value + 0.25, level=0.9)


@pytest.fixture
def record():
    numbers = iter(range(1, 100))
    return RunRecord(
        metrics={
            model: {metric: estimate(next(numbers)) for metric in METRICS} for model in MODELS
        },
        deltas={"action - no_action": {"mean_rank": estimate(-7.5)}},
        verdict=Verdict(
            label="INCONCLUSIVE",
            sentence="The data decide neither way.",
            criteria=(Criterion(name="c", outcome="undecided", detail="d"),),
            warnings=("12 test samples are in training too",),
        ),
        artifacts=("montage.png",),
        recipe="r",
        fingerprint="f" * 64,
        started="2026-01-01T00:00:00Z",
        config={},
        origins={},
        components={},
        versions={},
        settings={},
        cache=CacheCounts(requested=7536, unique=4101, cached=4000, materialised=101, encoded=101),
        timings={"train": 1.0, "total": 12.345},
    )


@pytest.mark.parametrize("columns", ["80", "200"])
def test_every_figure_is_shown_whole_however_narrow_the_terminal(
    record, columns, capsys, monkeypatch
):
    monkeypatch.setenv("COLUMNS", columns)
    print_results(record, Path("out"), as_json=False)
    out = capsys.readouterr().out
    for number in range(1, 25):
        assert f" {number} " in out.replace("\n", " \n")
        assert f"[{number - 0.25:.4g}, {number + 0.25:.4g}]" in out
    for word in (*MODELS, *METRICS):
        assert word in out
    assert max(map(len, out.splitlines())) <= int(columns)


def test_verdict_warnings_counts_time_and_files_are_shown(record, capsys):
    print_results(record, Path("out"), as_json=False)
    out = capsys.readouterr().out
    for part in (
        "Metrics, with 90% intervals",
        "-7.5 [-7.75, -7.25]",
        "INCONCLUSIVE: The data decide neither way.",
        "warning: 12 test samples are in training too",
        "latents: 7,536 asked for, 4,101 distinct: 4,000 from the cache, 101 encoded",
        "time: 12.3 s",
        "outputs: out: results.json, montage.png",
    ):
        assert part in out


def test_results_without_gains_and_verdict_have_no_empty_headings(record, capsys):
    bare = record.model_copy(update={"deltas": {}, "verdict": None})
    print_results(bare, Path("out"), as_json=False)
    out = capsys.readouterr().out
    assert "Gains" not in out
    assert "None" not in out


def test_json_is_the_record_itself(record, capsys):
    print_results(record, Path("out"), as_json=True)
    assert json.loads(capsys.readouterr().out) == record.model_dump(mode="json")
