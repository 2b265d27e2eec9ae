from dataclasses import replace

import numpy as np
import pytest

from mezzanine_core.collapse import latent_spread
from mezzanine_core.errors import DataError, LatentError
from mezzanine_core.fingerprint import item_keys
from mezzanine_core.worlds import ArrayColumn, Transitions
from mezzanine_recipes_dynamics.diagnostics import (
    Overlap,
    check_latents,
    check_transitions,
    find_overlap,
    warnings,
)
from mezzanine_recipes_dynamics.samples import Samples


def transitions(starts, actions, outcomes, episodes=None, names=("force",)):
    """Transitions between numbered states; the action is a number too."""
    starts, outcomes = (np.array(part, dtype=np.float32)[:, None] for part in (starts, outcomes))
    action = np.array(actions, dtype=np.float32).reshape(len(starts), len(names))
    whole = zip(starts[:, 0].tolist(), action.tolist(), outcomes[:, 0].tolist(), strict=True)
    return Transitions(
        obs=ArrayColumn(starts, "vector"),
        next_obs=ArrayColumn(outcomes, "vector"),
        action=action,
        action_names=names,
        episode=np.arange(len(starts)) if episodes is None else np.array(episodes),
        keys=item_keys("numbers", map(list, whole)),
    )


def latents_of(split, encode=lambda values: values):
    parts = []
    for column in (split.obs, split.next_obs):
        values = next(column.fetch(np.arange(len(split)), None))[1]
        parts.append(encode(values).astype(np.float32))
    return Samples(parts[0], split.action, parts[1], split.episode)


def overlap(train, test, encode=lambda values: values):
    return find_overlap(train, test, latents_of(train, encode), latents_of(test, encode))


TRAIN = transitions([1, 2, 3], [0, 0, 1], [4, 5, 6])


def test_overlap_is_counted_by_what_is_shared():
    test = transitions([1, 1, 9, 9, 9], [0, 1, 0, 0, 1], [4, 7, 6, 8, 6])
    found = overlap(TRAIN, test)
    assert found.same_transition.tolist() == [True, False, False, False, False]
    assert found.same_start.tolist() == [True, True, False, False, False]
    assert found.same_outcome.tolist() == [True, False, True, False, True]
    assert found.twin.tolist() == [True, False, False, False, False]
    assert found.counts() == {
        "same_transition": 1,
        "same_start": 2,
        "same_outcome": 3,
        "twin": 1,
    }


def test_samples_that_an_encoder_cannot_tell_apart_are_twins():
    test = transitions([1.4, 1.6, 1.4], [0, 0, 1], [4.4, 4.4, 4.4])
    assert overlap(TRAIN, test).twin.tolist() == [False, False, False]
    assert overlap(TRAIN, test, encode=np.floor).twin.tolist() == [True, True, False]


def test_negative_zero_is_zero():
    train, test = transitions([0.0], [0.0], [1.0]), transitions([-0.0], [-0.0], [1.0])
    assert overlap(train, test).twin.tolist() == [True]


def test_splits_without_anything_in_common_have_no_overlap():
    test = transitions([11, 12], [0, 1], [14, 15])
    assert set(overlap(TRAIN, test).counts().values()) == {0}


def numbered(n, **changes):
    state = np.arange(n)
    return transitions(**{"starts": state, "actions": state, "outcomes": state + 0.5, **changes})


def test_twenty_samples_with_distinct_outcomes_can_be_ranked():
    check_transitions(TRAIN, numbered(20))


@pytest.mark.parametrize(
    ("test", "culprit"),
    [
        (numbered(19), "19 test transitions"),
        (numbered(40, outcomes=np.arange(40) % 19), "19 distinct outcomes"),
        (numbered(30, episodes=np.zeros(30, dtype=np.int64)), "one episode"),
        (numbered(30, names=("torque",)), "torque"),
        (transitions([], [], []), "0 test transitions"),
    ],
)
def test_splits_that_show_nothing_are_refused(test, culprit):
    with pytest.raises(DataError, match=culprit):
        check_transitions(TRAIN, test)


def test_small_test_split_is_refused_with_advice():
    with pytest.raises(DataError) as caught:
        check_transitions(TRAIN, numbered(5))
    assert "n_test" in caught.value.hint


def test_empty_training_split_is_refused():
    with pytest.raises(DataError, match="training split is empty"):
        check_transitions(transitions([], [], []), numbered(30))


def test_actions_that_never_differ_are_refused():
    varied, constant = numbered(30), numbered(30, actions=np.ones(30))
    for where, splits in (("training", (constant, varied)), ("test", (varied, constant))):
        with pytest.raises(DataError, match=f"all 30 actions of the {where} split are the same"):
            check_transitions(*splits)


def test_a_single_different_action_is_enough_to_ask():
    check_transitions(numbered(30), numbered(30, actions=np.arange(30) == 7))


def test_worlds_without_action_features_are_refused():
    train, test = (
        replace(split, action=split.action[:, :0], action_names=())
        for split in (TRAIN, numbered(30))
    )
    with pytest.raises(DataError, match="no action features"):
        check_transitions(train, test)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("where", ["latents", "next_latents"])
@pytest.mark.parametrize("split", [0, 1])
def test_latents_that_are_not_finite_are_named(make_samples, bad, where, split):
    splits = [make_samples(30), make_samples(30, seed=1)]
    getattr(splits[split], where)[17, 2] = bad
    name = f"{('train', 'test')[split]} {where.replace('_', ' ')}"
    with pytest.raises(LatentError, match=f"1 of 30 {name} .*row 17"):
        check_latents(*splits)


def test_constant_latents_are_refused(make_samples):
    train, test = make_samples(30), make_samples(30, seed=1)
    test.next_latents[:] = test.next_latents[0]
    with pytest.raises(LatentError, match="encoder has collapsed"):
        check_latents(train, test)


def no_overlap(n):
    return Overlap(*(np.zeros(n, dtype=bool) for _ in range(4)))


def said(overlap, spread, *, episodes=25, seeds=3, unchanged=0.5):
    return warnings(overlap, spread, episodes=episodes, seeds=seeds, unchanged=unchanged)


def test_sound_data_raise_no_warning(make_samples):
    spread = latent_spread(make_samples(30).next_latents)
    assert said(no_overlap(30), spread) == []


def test_every_weakness_is_said(make_samples):
    samples = make_samples(30)
    spread = latent_spread(samples.next_latents)
    leaking = replace(no_overlap(30), same_transition=np.arange(30) < 4)
    assert "4 of 30 test transitions" in said(leaking, spread)[0]
    assert "only 19 test episodes" in said(no_overlap(30), spread, episodes=19)[0]
    assert "only one seed" in said(no_overlap(30), spread, seeds=1)[0]
    assert "51% of the shuffled actions" in said(no_overlap(30), spread, unchanged=0.51)[0]
    alike = latent_spread(samples.next_latents + 50)
    assert "nearly alike" in said(no_overlap(30), alike)[0]
    line = np.ones((30, 6), dtype=np.float32)
    line[:, 0] = samples.latents[:, 0]
    assert "collapsed" in said(no_overlap(30), latent_spread(line))[0]


def test_states_that_differ_between_the_splits_are_refused():
    split = transitions(range(40), range(40), range(1, 41))
    state = np.arange(40, dtype=np.float32)[:, None]
    stated = replace(split, state=state, state_names=("joint",))
    check_transitions(stated, stated)
    with pytest.raises(DataError, match=r"state features \[\], but test has \['joint'\]"):
        check_transitions(split, stated)


def test_samples_in_different_states_are_no_twins():
    one, other = (
        replace(latents_of(TRAIN), state=np.full((3, 1), value, np.float32)) for value in (0, 1)
    )
    assert find_overlap(TRAIN, TRAIN, one, one).twin.all()
    assert not find_overlap(TRAIN, TRAIN, one, other).twin.any()
