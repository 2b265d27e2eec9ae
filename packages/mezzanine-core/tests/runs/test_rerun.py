"""Running a finished run again, on the toy distribution."""

import json

import pytest

from mezzanine_core.errors import (
    ConfigError,
    DataError,
    MissingDependencyError,
    UnknownNameError,
)
from mezzanine_core.plugins import load_registry
from mezzanine_core.progress import Progress
from mezzanine_core.runs.comparison import Comparison, Tolerance
from mezzanine_core.runs.rerun import EXACT, Rerun, RerunRequest
from mezzanine_core.runs.state import read_state


@pytest.fixture
def prepared(toy, tmp_path):
    """Prepares a repetition of the run in ``out``."""

    def call(environ=None, registry=None, **request):
        base = {"run": tmp_path / "out", "out": tmp_path / "again"}
        asked = RerunRequest(**{**base, "options": {"workers": "1"}, **request})
        return Rerun(registry or toy[0], asked, environ or {})

    return call


@pytest.fixture
def rerun(prepared):
    """Runs it, and returns the comparison."""
    return lambda **request: prepared(**request).run(Progress(quiet=True))


def change(path, **changes):
    """Change the document of a run, as another version or machine would have written it."""
    document = json.loads(path.read_text())
    for place, value in changes.items():
        *above, last = place.split("__")
        level = document
        for name in above:
            level = level[name]
        level[last] = value
    path.write_text(json.dumps(document))


def test_an_unchanged_run_is_identical_and_nothing_has_drifted(run, rerun, tmp_path):
    record, _ = run({"n_test": 30, "seeds": [4]})
    found = rerun()
    assert (found.outcome, found.drift) == ("identical", ())
    assert found.files == {"figures/norms.txt": "identical"}
    again = json.loads((tmp_path / "again" / "results.json").read_text())
    assert again["fingerprint"] == record.fingerprint
    assert again["config"] == record.config
    document = (tmp_path / "again" / "comparison.json").read_text()
    assert Comparison.model_validate_json(document) == found


def test_the_settings_of_the_run_hold_whatever_the_environment_says(run, prepared):
    run({"n_test": 30})
    found = prepared(environ={"MEZZ_N_TEST": "7", "MEZZ_DEVICE": "mps"})
    assert found.record.config["world"]["n_test"] == 30
    assert found.settings.device == "mps"
    assert [(each.matter, each.subject) for each in found.drift] == [("computation", "device")]


def test_device_and_cache_are_those_of_the_run_unless_others_are_named(run, prepared, tmp_path):
    run(device="cpu")
    assert prepared().settings.device == "cpu"
    assert prepared().settings.cache_dir == tmp_path / "cache"
    chosen = prepared(options={"device": "cuda:1", "cache_dir": str(tmp_path / "other")})
    assert (chosen.settings.device, chosen.settings.cache_dir) == ("cuda:1", tmp_path / "other")


def test_another_world_is_explained_before_anything_runs(run, prepared, toy, monkeypatch, tmp_path):
    run()
    monkeypatch.setattr(toy[1].Points, "source", lambda self: {"points": 2})
    found = prepared()
    assert [(each.matter, each.subject) for each in found.drift] == [
        ("experiment", "fingerprint"),
        ("component", "world"),
    ]
    assert not (tmp_path / "again").exists()


def test_a_run_that_has_drifted_says_where(run, rerun, tmp_path):
    _, out = run()
    old = json.loads((out / "results.json").read_text())["metrics"]["test"]["norm"]["value"]
    change(out / "results.json", metrics__test__norm__value=old + 0.5)
    found = rerun()
    assert found.outcome == "drifted"
    assert [each.path for each in found.differences] == ["metrics.test.norm.value"]
    assert found.inside_intervals is True
    assert rerun(out=tmp_path / "wide", absolute=0.6).outcome == "within tolerance"


def test_two_deterministic_runs_must_be_equal_bit_for_bit(run, prepared):
    run(deterministic=True)
    assert prepared().settings.deterministic
    assert prepared().tolerance == EXACT
    assert prepared(relative=0.1).tolerance == Tolerance(relative=0.1, absolute=0)


def test_other_pairs_of_runs_have_a_tolerance(run, prepared, toy, monkeypatch):
    run()
    assert prepared().tolerance == Tolerance()
    assert prepared(deterministic=True).tolerance == Tolerance()
    run(deterministic=True)
    monkeypatch.setattr(toy[1].Points, "source", lambda self: {"points": 2})
    assert prepared().tolerance == Tolerance()


def test_a_deterministic_run_tells_its_recipe(run, toy, monkeypatch):
    asked = []
    monkeypatch.setattr(toy[1].Norms, "pause", lambda self, where, ctx: asked.append(ctx))
    run(deterministic=True)
    assert {ctx.deterministic for ctx in asked} == {True}


def test_the_comparison_belongs_to_the_run_and_is_moved_aside_with_it(run, rerun, tmp_path):
    run()
    rerun()
    rerun()
    (earlier,) = (tmp_path / "again" / "previous").iterdir()
    assert (earlier / "comparison.json").is_file()
    assert read_state(tmp_path / "again").status == "finished"


def test_the_run_itself_is_never_replaced(run, prepared, tmp_path):
    run()
    with pytest.raises(ConfigError, match="directory of the run itself"):
        prepared(out=tmp_path / "out" / ".." / "out")


def test_a_run_that_failed_cannot_be_run_again(run, prepared):
    with pytest.raises(DataError):
        run({"then": "refuse"})
    with pytest.raises(DataError, match=r"the run in .* it is failed") as caught:
        prepared()
    assert caught.value.hint == "Only a run that has finished can be run again."


def test_where_there_is_no_run_it_says_so(prepared, tmp_path):
    with pytest.raises(UnknownNameError, match="there is no run"):
        prepared(run=tmp_path / "nothing")


def test_a_recipe_that_is_not_installed_is_answered_with_what_brings_it(run, prepared):
    _, out = run()
    change(out / "results.json", recipe="hops", versions={"mezzanine-worlds-hops": "1.0"})
    with pytest.raises(MissingDependencyError) as caught:
        prepared(registry=load_registry(only=["toy-runs"]))
    assert caught.value.hint == "pip install mezzanine-worlds-hops"


def test_a_setting_that_is_none_any_more_names_the_document(run, prepared):
    _, out = run()
    change(out / "results.json", config__world__n_trian=3)
    with pytest.raises(UnknownNameError, match=r"results\.json.*n_trian"):
        prepared()


def test_the_executor_is_that_of_the_run_with_its_settings(run, rerun, toy, tmp_path):
    run(executor="queue", plugin_settings={"queue": {"address": "tcp://a", "tags": ("x",)}})
    toy[1].HEARD.clear()
    rerun()
    (heard,) = [said[1] for said in toy[1].HEARD if said[0] == "executor"]
    assert (heard["address"], heard["tags"], heard["workers"]) == ("tcp://a", ("x",), 1)
    again = json.loads((tmp_path / "again" / "results.json").read_text())
    assert again["settings"]["executor"] == "queue"


def test_another_executor_may_take_the_place_of_that_of_the_run(run, prepared):
    run(executor="queue", plugin_settings={"queue": {"address": "tcp://a"}})
    assert prepared(options={"executor": "inline"}).settings.executor == "inline"


def test_an_executor_of_the_environment_is_for_new_runs(run, prepared):
    """Its settings stand in the environment too, where a repetition does not look for them."""
    run()
    environ = {"MEZZ_EXECUTOR": "queue", "MEZZ_QUEUE_ADDRESS": "tcp://a"}
    assert prepared(environ=environ).settings.executor == "local"
