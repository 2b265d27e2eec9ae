"""Plans and fingerprints: what a run would be, without running it."""

import numpy as np
import pytest

from mezzanine_core.errors import OutputDirectoryError
from mezzanine_core.runs.planning import LatentCounts

# Fingerprints


@pytest.fixture
def fingerprint_of(planned):
    return lambda *arguments, **settings: planned(*arguments, **settings).fingerprint


def test_a_run_has_the_fingerprint_of_its_plan(run, planned):
    assert run()[0].fingerprint == planned().fingerprint


def test_presets_of_one_experiment_have_one_fingerprint(fingerprint_of):
    assert fingerprint_of() == fingerprint_of(recipe="same_norms")
    flags = {"world": "points", "encoder": "scale"}
    assert fingerprint_of() == fingerprint_of(flags, recipe="norms")


@pytest.mark.parametrize(
    "flags", [{"n_test": 21}, {"factor": 3.0}, {"seed": 1}, {"seeds": "0,1"}, {"where": "start"}]
)
def test_what_changes_the_outcome_changes_the_fingerprint(flags, fingerprint_of):
    assert fingerprint_of(flags) != fingerprint_of()


def test_where_and_how_a_run_is_computed_does_not_enter_the_fingerprint(tmp_path, fingerprint_of):
    assert fingerprint_of({"batch": 16}) == fingerprint_of()
    elsewhere = {
        "out": tmp_path / "elsewhere",
        "cache_dir": tmp_path / "other",
        "device": "cuda:1",
        "workers": 2,
        "command": "another",
        "trackers": ("diary",),
    }
    assert fingerprint_of(**elsewhere) == fingerprint_of()


# Plans


def test_a_plan_counts_what_would_be_encoded_without_touching_anything(run, toy, tmp_path, planned):
    before = set(tmp_path.iterdir())
    plan_ = planned()
    assert toy[1].FETCHED == []
    assert set(tmp_path.iterdir()) == before
    assert [each.label for each in plan_.latents] == ["train", "test"]
    assert [each.counts.items for each in plan_.latents] == [40, 20]
    assert plan_.components["encoder"].fingerprint == plan_.latents[0].encoder
    record, _ = run()
    assert plan_.total.to_encode == record.cache.encoded
    assert plan_.total.cached == 0
    assert sum(each.counts.to_encode for each in plan_.latents) > plan_.total.to_encode


def test_a_plan_counts_each_distinct_item_once(toy, planned):
    numbers = {
        name: split.input.numbers
        for name, split in toy[1].Points(toy[1].PointsConfig(n_train=40)).load().splits.items()
    }
    distinct = {name: len(set(of_split)) for name, of_split in numbers.items()}
    both = len(set(np.concatenate(list(numbers.values()))))
    plan_ = planned()
    assert [each.counts.unique for each in plan_.latents] == [distinct["train"], distinct["test"]]
    assert plan_.total == LatentCounts(60, both, 0)


def test_a_plan_knows_what_is_cached(run, planned):
    run({"n_train": 10})
    plan_ = planned({"n_train": 10})
    assert plan_.total.to_encode == 0
    assert plan_.total.cached == plan_.total.unique
    larger = planned({"n_train": 60})
    assert 0 < larger.total.to_encode < larger.total.unique


def test_a_plan_of_a_recipe_that_announces_nothing_is_empty(planned):
    plan_ = planned(recipe="silent")
    assert plan_.latents == ()
    assert plan_.total == LatentCounts(0, 0, 0)


def test_a_plan_is_refused_where_the_run_would_be(tmp_path, planned):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.tex").write_text("")
    with pytest.raises(OutputDirectoryError):
        planned()
