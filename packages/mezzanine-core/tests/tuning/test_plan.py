"""A request, checked and turned into the settings of every run."""

import shlex
from pathlib import Path

import pytest

from mezzanine_core.config.resolve import resolve
from mezzanine_core.errors import ConfigError

POINT = {"x": 2.5, "side": "south"}


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"low": 1.0, "high": 0.5}, "--range 1:0.5: ends before it begins"),
        ({"high": float("inf")}, "--range 0.05:inf: both ends must be finite"),
        ({"low": float("nan")}, "--range nan:0.6: both ends must be finite"),
        ({"trials": 0}, "--trials 0"),
        ({"rungs": 1}, "--rungs 1"),
        ({"disagreement": 0.0}, "--disagreement 0"),
        ({"disagreement": float("inf")}, "--disagreement inf"),
        ({"pilot": ("n",)}, "--pilot n: is not of the form"),
        ({"pilot": ("m=3",)}, "--pilot m=3: there is no setting 'm'"),
        ({"pilot": ("x=3",)}, "x is set twice, or searched"),
        ({"pilot": ("n=3", "n=4")}, "n is set twice, or searched"),
        ({"pilot": ("n=2000",)}, "is more than the 1000 of the full run"),
        ({"pilot": ("n=0",)}, "--pilot: --n: 0 is out of range"),
        ({"pilot": ("device=cpu",)}, "changes nothing of what comes out"),
        ({"flags": {"x": "3"}}, "x is fixed by a flag and searched"),
        ({"flags": {"n": "0"}}, "--n: 0 is out of range"),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_runs(planned, more, words):
    with pytest.raises(ConfigError) as raised:
        planned("x=1:6", **more)
    assert words in raised.value.message


def test_both_ends_of_a_range_must_be_possible(planned):
    with pytest.raises(ConfigError, match=r"--space x=11\.0: --x: 11\.0 is out of range"):
        planned("x=1:11")


def test_something_must_be_searched(planned):
    with pytest.raises(ConfigError, match="nothing is searched"):
        planned()


def test_settings_of_a_pilot_grow_evenly_to_those_of_the_full_run(planned):
    plan = planned("x=1:6", pilot=("n=10", "seeds=0", "width=2"), rungs=3)
    assert [int(rung["n"]) for rung in plan.rungs[:-1]] == [10, 100]
    assert [rung["seeds"] for rung in plan.rungs[:-1]] == ["0", "0"]
    assert plan.rungs[-1] == {}


def test_without_a_pilot_each_trial_is_one_full_run(planned):
    assert planned("x=1:6", rungs=4).rungs == ({},)


def test_what_the_user_fixes_or_searches_is_left_out_of_what_the_recipe_says(planned):
    plan = planned("x=1:6", "side=north|south", own_space=True, flags={"side": "south"})
    assert [each.name for each in plan.space] == ["x"]
    assert planned("n=1:6", pilot=("n=3", "seeds=0"), own_pilot=True).rungs[0] == {"seeds": "0"}
    with pytest.raises(ConfigError, match="every setting that the recipe would search is fixed"):
        planned("x=1:6", own_space=True, flags={"x": "2"})


@pytest.mark.parametrize("flags", [{}, {"seeds": "4,9", "seed": "3"}, {"world.seed": "7"}])
def test_the_confirmation_has_seeds_and_data_that_no_trial_has(planned, registry, flags):
    plan = planned("x=1:6", "side=north|south", flags=flags, pilot=("seeds=3",))
    runs = [
        resolve(registry, plan.recipe, flags=plan.settings(POINT, rung)).config
        for rung in (0, 1, None)
    ]
    *trials, confirmation = runs
    assert len(confirmation.seeds) >= 3
    for trial in trials:
        assert set(trial.seeds).isdisjoint(confirmation.seeds)
        assert trial.seed != confirmation.seed
        assert trial.world.seed != confirmation.world.seed
        assert (trial.x, trial.side) == (confirmation.x, confirmation.side)


@pytest.mark.parametrize("rung", [0, 1, None])
def test_the_command_of_a_run_repeats_it(planned, registry, tmp_path, rung):
    file = tmp_path / "a file.yml"
    file.write_text("offset: 0.5\nstep: 3\n")
    plan = planned(
        "x=1:6", "side=north|south", file=file, flags={"tags": ["a", "b"]}, pilot=("n=10",)
    )
    mezz, run, recipe, config, path, *flags = shlex.split(plan.command(POINT, rung))
    assert (mezz, run, recipe, config, path) == ("mezz", "run", "hill", "--config", str(file))
    pairs = dict(flag.removeprefix("--").split("=", 1) for flag in flags)
    again = resolve(registry, recipe, file=Path(path), flags=pairs)
    meant = resolve(registry, recipe, file=file, flags=plan.settings(POINT, rung))
    assert again.config.model_dump() == meant.config.model_dump()
    assert again.config.world.tags == ("a", "b")
    assert (again.config.x, again.config.step) == (2.5, 3)


def test_the_identity_tells_studies_apart_and_leaves_the_number_of_trials_out(planned):
    plan = planned("x=1:6", trials=5)
    assert plan.identity() == planned("x=1:6", trials=50).identity()
    others = [
        planned("x=1:7"),
        planned("x=1:6", high=0.7),
        planned("x=1:6", effect="diagnostics.height.exact"),
        planned("x=1:6", flags={"width": "3"}),
        planned("x=1:6", pilot=("n=10",)),
        planned("x=1:6", disagreement=0.2),
        planned("x=1:6", recipe="steep"),
    ]
    identities = [str(each.identity()) for each in [plan, *others]]
    assert len(set(identities)) == len(identities)
