"""The tracker ``wandb``, offline: what it keeps is what ``wandb sync`` would send."""

import json
import logging

import pytest

from mezzanine_core.errors import DataError
from mezzanine_core.runs.state import read_state

OFFLINE = {"wandb_mode": "offline"}


@pytest.fixture
def history(records):
    """The rows that were logged: name → value."""
    return lambda out: [
        {_name(item): json.loads(item.value_json) for item in record.history.item}
        for record in _of_kind(records(out), "history")
    ]


@pytest.fixture
def summary(records):
    """What stands in the summary: name → value."""
    return lambda out: {
        _name(item): json.loads(item.value_json)
        for record in records(out)
        for item in record.summary.update
    }


@pytest.fixture
def the_run(records):
    """What is said of the run itself."""
    return lambda out: next(record.run for record in _of_kind(records(out), "run"))


def _name(item):
    return ".".join(item.nested_key) or item.key


def _of_kind(records, kind):
    return [record for record in records if record.WhichOneof("record_type") == kind]


def test_curves_are_over_the_steps_of_the_recipe(run, records, history):
    _, out = run(**OFFLINE)
    for model in ("first", "second"):
        rows = [row for row in history(out) if f"train/{model}/loss" in row]
        assert [row[f"train/{model}/step"] for row in rows] == [0, 10, 20]
        assert [row[f"train/{model}/loss"] for row in rows] == pytest.approx([1, 1 / 11, 1 / 21])
    metrics = [record.metric for record in _of_kind(records(out), "metric")]
    axes = {metric.glob_name: metric.step_metric for metric in metrics if metric.glob_name}
    assert axes["train/second/*"] == "train/second/step"


def test_metrics_intervals_and_the_verdict_are_the_summary(run, summary):
    _, out = run(**OFFLINE)
    found = summary(out)
    assert found["test/first/r@10"] == 0.5
    assert found["metrics/first/r@10"] == 0.5
    assert found["metrics/first/r@10/low"] == 0.25
    assert found["gains/first_minus_second/r@10"] == 0.25
    assert (found["verdict"], found["verdict/sentence"]) == ("MAKE", "It learns.")


def test_settings_are_the_config_and_the_project_is_as_asked(run, the_run):
    record, out = run(
        wandb_project="hops", wandb_tags="a,b", wandb_entity="us", wandb_run_name="x", **OFFLINE
    )
    found = the_run(out)
    assert (found.project, found.entity, found.display_name) == ("hops", "us", "x")
    assert (found.run_group, list(found.tags)) == ("curves", ["a", "b"])
    config = {item.key: json.loads(item.value_json) for item in found.config.update}
    assert config.pop("recipe") == "curves"
    config.pop("_wandb", None)
    assert config == record.config
    assert record.origins["wandb.project"] == "flag --wandb-project"


def test_a_run_is_named_by_its_directory_and_its_project_has_a_default(run, the_run):
    _, out = run(**OFFLINE)
    assert (the_run(out).project, the_run(out).display_name) == ("mezzanine", out.name)


def test_pictures_are_shown_and_all_files_are_one_artifact(run, records, history):
    _, out = run(**OFFLINE)
    (row,) = [row for row in history(out) if "artifacts/montage.png.width" in row]
    size = [row[f"artifacts/montage.png.{side}"] for side in ("width", "height")]
    assert size == [6, 4]
    (bundle,) = _of_kind(records(out), "artifact")
    names = {entry.path for entry in bundle.artifact.manifest.contents}
    assert names == {"montage.png", "model.bin", "plots/curve.svg"}


def test_files_stay_where_they_are_if_they_are_not_to_be_uploaded(run, records):
    _, out = run(wandb_upload="false", **OFFLINE)
    assert _of_kind(records(out), "artifact") == []


def test_a_run_that_failed_says_so_and_keeps_its_curves(run, records, history, tmp_path):
    with pytest.raises(DataError):
        run(then="refuse", **OFFLINE)
    out = tmp_path / "out"
    (end,) = _of_kind(records(out), "exit")
    assert end.exit.exit_code == 1
    assert len([row for row in history(out) if "train/second/loss" in row]) == 3


def test_what_is_kept_offline_belongs_to_the_run_and_is_moved_aside_with_it(run, caplog):
    run(**OFFLINE)
    with caplog.at_level(logging.INFO):
        _, out = run(**OFFLINE)
    assert len(list(out.glob("wandb/offline-run-*"))) == 1
    (earlier,) = (out / "previous").iterdir()
    assert len(list(earlier.glob("wandb/offline-run-*"))) == 1
    assert any(name.startswith("wandb/") for name in read_state(out).files)
    assert f"send it with `wandb sync {out / 'wandb' / 'offline-run-'}" in caplog.text


def test_the_environment_of_wandb_is_heeded(run, history, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "offline")
    _, out = run()
    assert len(history(out)) > 0


def test_a_run_goes_on_where_nobody_is_logged_in_and_is_told_once(run, caplog):
    record, out = run()
    assert record.verdict.label == "MAKE"
    assert caplog.text.count("nobody is logged in to Weights & Biases") == 1
    assert "--wandb-mode offline" in caplog.text
    assert not (out / "wandb").exists()
