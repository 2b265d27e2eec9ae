import time

import pytest

from mezzanine_core.errors import DataError
from mezzanine_worlds_iphyre import overlap
from mezzanine_worlds_iphyre.catalogue import BLOCKS
from mezzanine_worlds_iphyre.config import IphyreConfig
from mezzanine_worlds_iphyre.overlap import Separated, distinct_transitions, draw_test
from mezzanine_worlds_iphyre.sampling import draw, quotas


def _both(config: IphyreConfig) -> tuple[dict, Separated]:
    train = {
        game: draw(config, "train", game, n)
        for game, n in quotas(config.n_train, config.games).items()
    }
    return train, draw_test(config, train, quotas(config.n_test, config.games))


def _transitions(by_game: dict) -> list:
    return [sample.transition for part in by_game.values() for sample in part]


@pytest.mark.parametrize("scheme", ["single", "window"])
@pytest.mark.parametrize("each", [1, 4])
def test_dropping_leaves_distinct_test_samples_that_training_lacks(small, scheme, each) -> None:
    config = small(n_train=150, n_test=120, action_scheme=scheme, per_episode_samples=each)
    train, test = _both(config)
    transitions = _transitions(test.samples)
    assert len(set(transitions)) == len(transitions) == 120
    assert not set(transitions) & set(_transitions(train))
    assert {game: len(part) for game, part in test.samples.items()} == {"hole": 60, "seesaw": 60}
    assert test.shared > 0
    assert test.replaced == test.shared + test.repeated


def test_dropping_changes_only_what_was_shared_or_repeated(small) -> None:
    train, kept = _both(small(n_train=150, n_test=100, overlap="keep"))
    _, dropped = _both(small(n_train=150, n_test=100))
    changed = 0
    known = set(_transitions(train))
    for before, after in zip(
        _transitions(kept.samples), _transitions(dropped.samples), strict=True
    ):
        assert (before != after) is (before in known)
        changed += before != after
        known.add(after)
    assert changed == dropped.replaced


def test_replacing_keeps_the_share_of_samples_without_clicks(small) -> None:
    _, kept = _both(small(n_train=100, n_test=80, overlap="keep"))
    _, dropped = _both(small(n_train=100, n_test=80))

    def quiet(test: Separated) -> list[bool]:
        return [not sample.action for part in test.samples.values() for sample in part]

    assert quiet(kept) == quiet(dropped)


def test_a_larger_test_split_begins_with_the_smaller_one(small) -> None:
    _, less = _both(small(n_test=60, n_train=150, games="hole"))
    _, more = _both(small(n_test=90, n_train=150, games="hole"))
    assert more.samples["hole"][:60] == less.samples["hole"]


def test_keeping_counts_what_is_shared(small) -> None:
    train, test = _both(small(n_train=150, n_test=100, overlap="keep"))
    known = set(_transitions(train))
    ours = _transitions(test.samples)
    fresh = [transition for transition in ours if transition not in known]
    assert test.shared == 100 - len(fresh) > 0
    assert test.repeated == len(fresh) - len(set(fresh))
    assert test.replaced == 0


def test_failing_says_how_many_are_shared(small) -> None:
    _, kept = _both(small(n_train=150, n_test=100, overlap="keep"))
    with pytest.raises(DataError, match=f"overlap=fail: {kept.shared} of 100 test samples"):
        _both(small(n_train=150, n_test=100, overlap="fail"))


def test_failing_passes_where_nothing_is_shared(small) -> None:
    settings = {"p_no_action": 0, "n_train": 5, "n_test": 5}
    _, kept = _both(small(overlap="keep", **settings))
    assert kept.shared == 0
    _, test = _both(small(overlap="fail", **settings))
    assert test == kept


def test_too_few_distinct_ones_are_counted_exactly_and_at_once(small) -> None:
    config = small(p_no_action=1, n_train=2000, n_test=100, games="hole,seesaw")
    train = {game: {s.start for s in draw(config, "train", game, 1000)} for game in config.games}
    start = time.perf_counter()
    with pytest.raises(DataError) as caught:
        _both(config)
    assert time.perf_counter() - start < 5
    for game in config.games:
        held = f"{game} has 91 distinct transitions, of which training holds {len(train[game])}"
        assert held in str(caught.value)
    assert "50 distinct test samples" in str(caught.value)
    assert "overlap=keep" in str(caught.value)


def test_only_the_games_that_have_too_few_are_named(small) -> None:
    """Seesaw has two removable blocks, hinder_fill six."""
    with pytest.raises(DataError) as caught:
        _both(
            small(
                games="hinder_fill,seesaw",
                delta_seconds=1 / 60,
                max_steps=10,
                p_no_action=0,
                n_train=2,
                n_test=60,
            )
        )
    assert "seesaw has 20 distinct" in str(caught.value)
    assert "hinder_fill" not in str(caught.value)


def test_the_last_transition_that_is_left_is_found(small) -> None:
    """Two starts and two blocks: four transitions with a click, two without."""
    config = small(
        games="seesaw", delta_seconds=1 / 60, max_steps=2, p_no_action=0.5, n_train=1, n_test=5
    )
    train, test = _both(config)
    assert len(set(_transitions(train)) | set(_transitions(test.samples))) == 6


def test_without_clicks_the_last_start_that_is_left_is_found(small) -> None:
    config = small(games="seesaw", p_no_action=1, n_train=1, n_test=90)
    train, test = _both(config)
    assert {t.start for t in _transitions(train) + _transitions(test.samples)} == set(range(91))


def test_a_search_for_what_is_hardly_ever_drawn_ends_in_an_error(small, monkeypatch) -> None:
    """Six clicks in six steps have 720 orders, and one episode in 378 is of that sort."""
    monkeypatch.setattr(overlap, "_TRIES", 20)
    config = small(
        games="hinder_fill",
        action_scheme="window",
        delta_seconds=1 / 60,
        max_steps=6,
        p_no_action=0,
        n_train=1,
        n_test=13_000,
    )
    with pytest.raises(DataError, match=r"20 fresh episodes of hinder_fill .* of 13326"):
        _both(config)


@pytest.mark.parametrize("game", ["seesaw", "fill"])
@pytest.mark.parametrize("scheme", ["single", "window"])
@pytest.mark.parametrize("each", [1, 2])
@pytest.mark.parametrize("p", [0.0, 0.3, 1.0])
@pytest.mark.parametrize(("steps", "delta"), [(3, 1), (3, 2)])
def test_the_number_of_distinct_transitions_is_that_of_exhaustive_draws(
    small, game, scheme, each, p, steps, delta
) -> None:
    config = small(
        action_scheme=scheme,
        per_episode_samples=each,
        p_no_action=p,
        max_steps=steps,
        delta_seconds=delta / 60,
    )
    drawn = {sample.transition for sample in draw(config, "train", game, 4000)}
    assert len(drawn) == distinct_transitions(BLOCKS[game], config)
