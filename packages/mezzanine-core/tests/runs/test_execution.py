"""Running a recipe: what a run leaves behind, whom it tells, and how it fails."""

import io
import json
import os
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from mezzanine_core.errors import (
    ConfigError,
    DataError,
    OutputDirectoryError,
    PluginError,
    RunError,
    UnknownNameError,
)
from mezzanine_core.progress import Progress
from mezzanine_core.results import RunRecord
from mezzanine_core.runs.state import is_in_use, read_state


def files(path):
    return sorted(
        file.relative_to(path).as_posix() for file in path.rglob("*") if not file.is_dir()
    )


# What a run leaves behind


def test_a_run_returns_what_it_writes(run, tmp_path):
    record, out = run()
    assert out == tmp_path / "out"
    assert RunRecord.model_validate_json((out / "results.json").read_text()) == record
    assert set(record.metrics) == {"train", "test"}
    assert record.recipe == "point_norms"
    assert read_state(out).status == "finished"
    assert not is_in_use(out)


def test_a_record_says_how_the_result_came_about(run, tmp_path):
    record, _ = run({"n_test": 30}, device="cpu")
    assert record.config["world"]["n_test"] == 30
    assert record.origins["world.n_test"] == "flag --n-test"
    assert record.components["world"].model_dump(exclude={"fingerprint"}) == {
        "name": "points",
        "distribution": "toy-runs",
        "version": "1.5",
    }
    assert record.versions["toy-runs"] == "1.5"
    assert record.versions["numpy"] == np.__version__
    assert record.settings == {
        "device": "cpu",
        "deterministic": False,
        "executor": "local",
        "executor_settings": {},
        "workers": 1,
        "cpus": len(os.sched_getaffinity(0)),
        "cache_dir": str(tmp_path / "cache"),
        "trackers": [],
        "command": "mezz run point_norms",
    }
    assert datetime.fromisoformat(record.started).tzinfo is not None


def test_timings_cover_the_stages_and_the_whole(run):
    timings = run()[0].timings
    assert set(timings) == {"setup", "encode", "write", "total"}
    assert 0 < timings["encode"] <= timings["total"]
    assert sum(timings.values()) <= 2 * timings["total"]


def test_a_second_run_encodes_and_materialises_nothing(run, toy):
    first = run()[0].cache
    fetched = len(toy[1].FETCHED)
    second = run()[0].cache
    assert first.encoded == first.materialised == fetched > 0
    assert second.encoded == second.materialised == 0
    assert second.requested == first.requested == 60
    assert len(toy[1].FETCHED) == fetched


def test_the_default_directory_is_named_by_recipe_time_and_fingerprint(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    record, out = run(out=None)
    assert out.parent == tmp_path / "runs" / "point_norms"
    assert out.name.endswith(f"Z-{record.fingerprint[:8]}")


def test_a_run_into_the_same_directory_moves_the_earlier_one_aside_whole(run, caplog):
    _, out = run(trackers=("diary",))
    before = {name: (out / name).read_bytes() for name in files(out)}
    with caplog.at_level("INFO"):
        run()
    [moved] = (out / "previous").iterdir()
    assert {name: (moved / name).read_bytes() for name in files(moved)} == {
        name: text for name, text in before.items() if name != ".mezz.lock"
    }
    assert "diary/events" in before
    assert not (out / "diary").exists()
    assert sum("moved the earlier run" in message for message in caplog.messages) == 1


def test_artifacts_that_were_not_written_are_left_out_with_a_warning(run, caplog):
    assert run()[0].artifacts == ("figures/norms.txt",)
    assert "promised.txt" in caplog.text


def test_a_recipe_says_which_device_auto_is(run, toy):
    assert run(device="auto")[0].settings["device"] == "abacus"
    assert toy[1].DEVICES == ["abacus"]
    assert run(device="cpu")[0].settings["device"] == "cpu"


def test_components_are_constructed_once(run, toy):
    run()
    assert sorted(toy[1].MADE) == ["encoder", "world"]


def test_the_cache_notes_what_the_world_resolved_to(run, tmp_path):
    record, _ = run()
    encoder, world = (record.components[slot].fingerprint for slot in ("encoder", "world"))
    view = json.loads((tmp_path / "cache" / encoder / "views" / f"{world}.json").read_text())
    assert view["summary"]["run"] == record.fingerprint
    assert view["summary"]["columns"]["train"]["items"] == 40
    assert view["summary"]["columns"]["train"]["distinct"] <= 40


def test_plugins_are_told_of_the_start_and_the_end(run, toy):
    record, out = run()
    started, finished = toy[1].HEARD
    assert started[:3] == ("started", "point_norms", out)
    assert started[3] == record.config
    assert finished == ("finished", "point_norms", out, record.model_dump(mode="json"), None)


# Trackers


def test_trackers_follow_the_run(run):
    record, out = run(trackers=("diary",))
    assert (out / "diary" / "events").read_text().splitlines() == [
        "start point_norms 40",
        "log norm 1",
        "artifact norms.txt True",
        "finish ['test', 'train']",
    ]
    assert record.settings["trackers"] == ["diary"]


def test_trackers_are_told_of_a_failure(run, tmp_path):
    with pytest.raises(DataError):
        run({"then": "refuse"}, trackers=("diary",))
    assert (tmp_path / "out" / "diary" / "events").read_text().endswith("finish False\n")


@pytest.mark.parametrize("slow", ["start", "finish"])
def test_a_tracker_that_takes_long_is_shown(run, monkeypatch, slow):
    """One that connects to a server, or sends what the run left."""
    monkeypatch.setenv("DIARY_IS_SLOW_TO", slow)
    stream = io.StringIO()
    run(trackers=("diary",), progress=Progress(stream=stream, grace=0.5, interval=0.1))
    lines = stream.getvalue().splitlines()
    assert sum(line.startswith("trackers: ") for line in lines) > 1


def test_a_tracker_that_fails_does_not_fail_the_run(run, caplog):
    record, _ = run(trackers=("broken", "none"))
    assert record.verdict is None
    assert caplog.text.count("broken") == 1


def test_an_unknown_tracker_is_refused_before_anything_is_done(run, toy, tmp_path):
    with pytest.raises(UnknownNameError, match="wandbb"):
        run(trackers=("wandbb",))
    assert not (tmp_path / "out").exists()


def test_a_tracker_that_needs_settings_is_refused_by_name(run, tmp_path):
    with pytest.raises(ConfigError, match=r"demanding.*project"):
        run(trackers=("demanding",))
    assert not (tmp_path / "out").exists()


# Failures


@pytest.mark.parametrize("where", ["start", "encode", "stage", "end"])
def test_a_foreseen_failure_is_raised_as_it_is(run, tmp_path, where):
    with pytest.raises(DataError, match="the points are wrong") as caught:
        run({"then": "refuse", "where": where})
    assert caught.value.hint == "take others"
    out = tmp_path / "out"
    state = read_state(out)
    assert (state.status, state.error) == ("failed", "the points are wrong")
    assert "DataError: the points are wrong" in (out / "error.log").read_text()
    assert not (out / "results.json").exists()
    assert not is_in_use(out)


def test_an_unforeseen_failure_names_the_recipe_and_the_log(run, tmp_path):
    with pytest.raises(RunError, match="KeyError: 'points'") as caught:
        run({"then": "break"})
    log = tmp_path / "out" / "error.log"
    assert isinstance(caught.value.__cause__, KeyError)
    assert "toy-runs" in caught.value.hint
    assert str(log) in caught.value.hint
    assert 'raise KeyError("points")' in log.read_text()
    assert caught.value.exit_code == 1


def test_a_recipe_that_exits_is_a_failure(run, tmp_path):
    with pytest.raises(RunError, match="SystemExit: goodbye"):
        run({"then": "leave"})
    assert read_state(tmp_path / "out").status == "failed"


def test_a_recipe_that_returns_nonsense_is_a_broken_plugin(run, tmp_path):
    with pytest.raises(PluginError, match=r"nonsense.*returned a dict"):
        run(recipe="nonsense")
    assert read_state(tmp_path / "out").status == "failed"


def test_plugins_are_told_of_a_failure(run, toy):
    with pytest.raises(DataError) as caught:
        run({"then": "refuse"})
    assert toy[1].HEARD[-1][3:] == (None, caught.value)


def test_a_failed_run_is_moved_aside_by_the_next(run, tmp_path):
    with pytest.raises(DataError):
        run({"then": "refuse", "where": "end"})
    _, out = run()
    [moved] = (out / "previous").iterdir()
    left = {"error.log", "partial.json", "report.html", "run.json"}
    assert {*left, "figures/norms.txt", "loose.txt"} == set(files(moved))


def test_other_peoples_files_are_refused_before_anything_is_constructed(run, toy, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.tex").write_text("")
    with pytest.raises(OutputDirectoryError, match=r"thesis\.tex"):
        run()
    assert toy[1].MADE == toy[1].HEARD == []


def test_what_was_encoded_before_a_failure_is_not_encoded_again(run):
    with pytest.raises(DataError):
        run({"then": "refuse", "where": "end"})
    assert run()[0].cache.encoded == 0


@pytest.mark.parametrize("below", ["", "deeper"])
def test_a_cache_directory_that_is_a_file_is_refused_before_an_earlier_run_is_moved(
    run, tmp_path, below
):
    _, out = run()
    (tmp_path / "file").write_text("not ours")
    with pytest.raises(ConfigError, match=r"cache directory .*file is not a directory"):
        run(cache_dir=tmp_path / "file" / below)
    assert read_state(out).status == "finished"
    assert not (out / "previous").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
def test_a_full_disk_is_no_bug_of_the_recipe(run, tmp_path):
    with pytest.raises(OutputDirectoryError, match=r"out cannot be written: No space left"):
        run({"then": "fill"})
    assert read_state(tmp_path / "out").status == "failed"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
def test_results_that_do_not_fit_on_the_disk_name_the_directory(run, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / ".results.json.tmp").symlink_to("/dev/full")
    with pytest.raises(OutputDirectoryError, match=r"out cannot be written: No space left"):
        run()
    assert read_state(tmp_path / "out").status == "failed"
