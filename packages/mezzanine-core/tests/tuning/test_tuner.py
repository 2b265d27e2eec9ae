"""Whole tunings of a recipe whose figures are known."""

import io
import json
import logging

import pytest

from mezzanine_core.config.resolve import resolve
from mezzanine_core.errors import (
    DataError,
    MezzError,
    OutputDirectoryError,
    UnknownNameError,
)
from mezzanine_core.progress import Progress
from mezzanine_core.runs.history import find_runs
from mezzanine_core.runs.state import read_state, run_lock, write_state
from mezzanine_core.tuning.records import TuningRecord


def outcomes(record):
    return {trial.point["x"]: trial.outcome for trial in record.trials}


def test_the_largest_effect_among_those_whose_baseline_is_in_range_is_chosen(tuned):
    record = tuned("x=0:10:1")
    assert outcomes(record) == {
        **dict.fromkeys((1, 2, 3, 4, 5, 6), "qualifies"),
        0: "dead",
        **dict.fromkeys((7, 8, 9, 10), "too easy"),
    }
    [chosen] = [trial for trial in record.trials if trial.number == record.chosen]
    assert chosen.point == {"x": 4.0}
    assert record.sentence.startswith("Chosen: x=4 (trial ")
    assert "the largest of the 6 that qualify: hill_minus_flat.score is 1" in record.sentence
    assert "within 0.05 to 0.6" in record.sentence


def test_a_larger_effect_out_of_range_is_not_chosen(tuned):
    record = tuned("x=0:10:1", high=0.25)
    [chosen] = [trial for trial in record.trials if trial.number == record.chosen]
    assert chosen.point == {"x": 2.0}
    assert outcomes(record)[4.0] == "too easy"


def test_the_sampler_comes_near_to_the_top_of_a_hill_that_has_no_steps(tuned):
    record = tuned("x=0:10", "side=north|south", trials=20)
    [chosen] = [trial for trial in record.trials if trial.number == record.chosen]
    assert abs(chosen.point["x"] - 4) < 1
    assert len(record.trials) == 20
    assert sum(record.importance.values()) == pytest.approx(1)


@pytest.mark.parametrize(
    ("space", "more", "words"),
    [
        ("x=7:10:1", {}, "4 too easy (flat.score above 0.6). Nearest: x=7 "),
        ("x=0:0.4:0.2", {}, "3 dead (flat.score below 0.05). Nearest: x=0.4 "),
        (
            "x=2:4:1",
            {"flags": {"noise": "9"}},
            "3 unstable (the seeds disagree by more than 50% of the effect)",
        ),
        (
            "x=0:10:5",
            {"high": 0.4, "flags": {"cliff": "4"}},
            "1 dead (flat.score below 0.05), 2 failed (a run failed)",
        ),
    ],
)
def test_if_nothing_qualifies_the_sentence_says_why(tuned, tmp_path, space, more, words):
    record = tuned(space, **more)
    assert record.sentence.startswith("Nothing qualifies, of ")
    assert words in record.sentence
    assert (record.chosen, record.config, record.confirmation) == (None, None, None)
    assert not (tmp_path / "out" / "tuned.yml").exists()
    assert (tmp_path / "out" / "tuning.png").exists()


def test_a_trial_that_fails_is_noted_and_the_others_go_on(tuned):
    record = tuned("x=2:4:1", flags={"cliff": "3.5"})
    assert outcomes(record) == {2.0: "qualifies", 3.0: "qualifies", 4.0: "failed"}
    [failed] = [trial for trial in record.trials if trial.outcome == "failed"]
    assert failed.problem == "x=4 is beyond the cliff"


def test_if_every_trial_fails_the_tuning_fails(tuned):
    with pytest.raises(MezzError, match=r"every trial failed; the last one said: x=\d is beyond"):
        tuned("x=2:4:1", flags={"cliff": "0"})


@pytest.mark.parametrize("name", ["baseline", "effect"])
def test_a_figure_that_the_recipe_does_not_have_ends_the_first_trial(tuned, tmp_path, name):
    with pytest.raises(UnknownNameError, match=r"hill have no figure 'flat\.scor'"):
        tuned("x=2:4:1", **{name: "flat.scor"})
    assert len(find_runs([tmp_path / "out"])) == 1


# The confirmation


def test_the_confirmation_is_a_run_of_its_own_on_fresh_seeds_and_data(tuned, tmp_path):
    record = tuned("x=2:4:1", flags={"noise": "0.01"})
    document = tmp_path / "out" / record.confirmation.run.directory / "results.json"
    config = json.loads(document.read_text())["config"]
    assert (config["x"], config["seed"], config["world"]["seed"]) == (4.0, 1, 1)
    assert config["seeds"] == [3, 4, 5]
    assert record.confirmation.holds
    assert "and the choice holds: this is the figure to report." in record.sentence


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (
            {"flags": {"luck": "2", "offset": "-1"}},
            "On fresh seeds and data hill_minus_flat.score is 0 [-0.001, 0.001], but the choice "
            "does not hold: its interval does not lie above zero.",
        ),
        (
            {"flags": {"luck": "5", "offset": "-1", "noise": "0.2"}},
            "but the choice does not hold: the seeds disagree there.",
        ),
    ],
)
def test_an_effect_that_was_luck_is_not_confirmed(tuned, more, words):
    record = tuned("x=2:4:1", **more)
    assert record.chosen is not None
    assert not record.confirmation.holds
    assert words in record.sentence


# Pilots


def test_pilots_that_are_not_among_the_best_are_stopped_before_the_full_run(tuned):
    record = tuned("x=1:6:0.5", pilot=("n=100", "seeds=0"))
    lengths = {trial.outcome: len(trial.runs) for trial in record.trials}
    assert lengths["stopped"] == 1
    assert lengths["qualifies"] == 2
    full = [trial for trial in record.trials if trial.outcome == "qualifies"]
    stopped = [trial for trial in record.trials if trial.outcome == "stopped"]
    assert 0 < len(full) < len(stopped)
    [chosen] = [trial for trial in full if trial.number == record.chosen]
    assert chosen.point == {"x": 4.0}


def test_a_pilot_that_is_surely_out_of_range_is_stopped_and_does_not_compete(tuned):
    record = tuned("x=0:10:1", low=0.55, high=0.65, pilot=("n=100", "seeds=0"))
    found = outcomes(record)
    assert found.pop(6.0) == "qualifies"
    assert set(found.values()) == {"too easy", "dead"}
    assert all(len(trial.runs) == 1 for trial in record.trials if trial.point["x"] != 6)


def test_a_pilot_whose_interval_reaches_into_the_range_goes_on(tuned):
    record = tuned("x=4|7", pilot=("n=5", "seeds=0"))
    of = {trial.point["x"]: trial for trial in record.trials}
    assert of["7"].outcome in ("too easy", "stopped")
    assert of["4"].outcome == "qualifies"


def test_trials_climb_as_many_rungs_as_they_are_told(tuned, tmp_path):
    record = tuned("x=1:6:1", pilot=("n=10",), rungs=4)
    assert max(len(trial.runs) for trial in record.trials) == 4
    chosen = next(trial for trial in record.trials if trial.number == record.chosen)
    sizes = [
        json.loads((tmp_path / "out" / run.directory / "results.json").read_text())["config"]["n"]
        for run in chosen.runs
    ]
    assert sizes == [10, 46, 215, 1000]


# What is left behind


def test_the_directory_holds_record_settings_pictures_and_runs(tuned, tmp_path):
    record = tuned("x=2:4:1")
    out = tmp_path / "out"
    assert TuningRecord.model_validate_json((out / "tuning.json").read_text()) == record
    assert (out / "tuning.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in (out / "tuning.svg").read_text()
    assert {run.outcome for run in find_runs([out])} == {"finished"}
    assert len(find_runs([out])) == 4


def test_the_file_of_settings_gives_the_run_of_the_chosen_trial(tuned, registry, tmp_path):
    record = tuned("x=2:4:1", "side=north|south", flags={"tags": "a,b"}, pilot=("n=10",))
    chosen = next(trial for trial in record.trials if trial.number == record.chosen)
    run = json.loads((tmp_path / "out" / chosen.runs[-1].directory / "results.json").read_text())
    resolved = resolve(registry, "hill", file=tmp_path / "out" / "tuned.yml")
    assert resolved.config.model_dump(mode="json") == run["config"]


def test_the_record_of_each_run_has_the_command_that_repeats_it(tuned, tmp_path):
    record = tuned("x=2:4:1", flags={"width": "3"})
    run = tmp_path / "out" / record.trials[0].runs[0].directory / "results.json"
    command = json.loads(run.read_text())["settings"]["command"]
    assert command == f"mezz run hill --width=3 --x={record.trials[0].point['x']}"


# Going on


def test_a_tuning_that_has_ended_is_not_run_again(tuned, monkeypatch, tmp_path):
    first = tuned("x=2:4:1", pilot=("n=10",))
    monkeypatch.setenv("HILL_DIARY", str(tmp_path / "diary"))
    again = tuned("x=2:4:1", pilot=("n=10",))
    assert not (tmp_path / "diary").exists()
    same = {"started", "seconds"}
    assert again.model_dump(exclude=same) == first.model_dump(exclude=same)


def test_more_trials_go_on_where_the_earlier_ended(tuned, monkeypatch, tmp_path):
    first = tuned("x=0:10", trials=3)
    monkeypatch.setenv("HILL_DIARY", str(tmp_path / "diary"))
    again = tuned("x=0:10", trials=5)
    assert again.trials[:3] == first.trials
    assert len(again.trials) == 5
    ran = {float(line.split()[0]) for line in (tmp_path / "diary").read_text().splitlines()}
    assert {trial.point["x"] for trial in again.trials[3:]} <= ran
    assert ran.isdisjoint(
        trial.point["x"] for trial in first.trials if trial.number != again.chosen
    )


def test_other_settings_do_not_mix_with_a_study(tuned):
    tuned("x=2:4:1")
    with pytest.raises(DataError, match=r"settings\.width was 4\.0, is 3\.0"):
        tuned("x=2:4:1", flags={"width": "3"})


def test_a_directory_of_something_else_is_refused_untouched(tuned, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.tex").write_text("not ours")
    with pytest.raises(OutputDirectoryError, match="something else than a tuning"):
        tuned("x=2:4:1")
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["thesis.tex"]


def test_a_directory_that_another_tuning_uses_is_refused(tuned, tmp_path):
    tuned("x=2:4:1")
    with run_lock(tmp_path / "out"), pytest.raises(OutputDirectoryError, match="another tuning"):
        tuned("x=2:4:1")


def test_a_directory_that_cannot_be_written_is_said_to_be(tuned, tmp_path):
    (tmp_path / "out" / "tuning.json").mkdir(parents=True)
    (tmp_path / "out" / "study.journal").touch()
    with pytest.raises(OutputDirectoryError, match="cannot be written"):
        tuned("x=2:4:1")


def test_each_trial_is_told_in_a_line(tuned, caplog):
    caplog.set_level(logging.INFO, logger="mezzanine_core")
    tuned("x=2:4:1")
    assert "(x=4): qualifies; flat.score 0.4 [0.399, 0.401], hill_minus_flat.score 1" in caplog.text


# In parallel


@pytest.mark.slow
def test_trials_in_parallel_find_what_they_find_one_by_one(tuned, tmp_path, monkeypatch):
    diary = tmp_path / "diary"
    monkeypatch.setenv("HILL_DIARY", str(diary))
    monkeypatch.setenv("HILL_SECONDS", "0.3")
    parallel = tuned("x=1:6:1", flags={"cliff": "5.5"}, parallel=2)
    assert len({line.split()[2] for line in diary.read_text().splitlines()}) == 2
    alone = tuned("x=1:6:1", flags={"cliff": "5.5"}, out="alone")
    assert outcomes(parallel) == outcomes(alone)
    assert parallel.confirmation.run.effect == alone.confirmation.run.effect


@pytest.mark.parametrize("parallel", [1, 2])
def test_trials_and_the_confirmation_are_followed_while_they_run(
    tuned, tmp_path, monkeypatch, parallel
):
    monkeypatch.setenv("HILL_DIARY", str(tmp_path / "diary"))
    monkeypatch.setenv("HILL_SECONDS", "1")
    stream = io.StringIO()
    tuned("x=4:5:1", parallel=parallel, progress=Progress(stream=stream, grace=0, interval=0.1))
    lines = stream.getvalue().splitlines()
    assert sum(line.startswith("trials: 0/2, ") for line in lines) > 1
    assert sum(line.startswith("confirmation: ") for line in lines) > 2


def test_what_a_killed_run_left_unlisted_is_moved_aside_with_it(tuned, tmp_path):
    first = tuned("x=4:5:1", trials=1)
    [run] = first.trials[0].runs
    directory = tmp_path / "out" / run.directory
    state = read_state(directory)
    (directory / "results.json").unlink()
    write_state(directory, state.model_copy(update={"status": "running"}))
    (directory / "half a plot").write_text("")
    (tmp_path / "out" / "study.journal").write_text("")
    assert set(outcomes(tuned("x=4:5:1")).values()) == {"qualifies"}
    assert len(list(directory.glob("previous/*/half a plot"))) == 1
