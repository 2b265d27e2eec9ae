import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mezzanine_core.errors import DataError
from mezzanine_core.fingerprint import content_keys
from mezzanine_worlds_hf.sampling import draw_apart, draw_splits

contents = st.lists(st.integers(0, 30).map(str), min_size=2, max_size=60)
seeds = st.integers(0, 10**6)


def _rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def _drawn(train, test, n_train, n_test, seed, *, drop=True):
    keys = content_keys(train), content_keys(test)
    return draw_splits(*keys, n_train, n_test, _rng(seed), drop_shared=drop)


def _or_none(draw):
    """What is drawn; ``None`` where nothing is left to train on."""
    try:
        return draw()
    except DataError:
        return None


@given(contents, contents, seeds, st.data())
def test_a_smaller_sample_of_two_splits_is_the_first_part_of_a_larger(a, b, seed, data) -> None:
    whole = _or_none(lambda: _drawn(a, b, None, None, seed))
    if whole is not None:
        n = data.draw(st.integers(1, len(whole.train)))
        m = data.draw(st.integers(1, len(whole.test)))
        part = _drawn(a, b, n, m, seed)
        assert part.train.tolist() == whole.train[:n].tolist()
        assert part.test.tolist() == whole.test[:m].tolist()


@given(contents, contents, seeds)
def test_training_has_no_content_of_the_test_split_and_loses_nothing_else(a, b, seed) -> None:
    drawn = _or_none(lambda: _drawn(a, b, None, None, seed))
    expected = [row for row, content in enumerate(a) if content not in set(b)]
    if drawn is None:
        assert not expected
    else:
        assert sorted(drawn.train.tolist()) == expected
        assert sorted(drawn.test.tolist()) == list(range(len(b)))
        assert drawn.dropped == drawn.shared == len(a) - len(expected)


@given(contents, contents, seeds)
def test_kept_overlap_is_counted_and_nothing_dropped(a, b, seed) -> None:
    drawn = _drawn(a, b, None, None, seed, drop=False)
    assert sorted(drawn.train.tolist()) == list(range(len(a)))
    assert (drawn.shared, drawn.dropped) == (sum(content in set(b) for content in a), 0)


@given(contents, seeds, st.data())
def test_items_set_apart_have_nothing_in_common(rows, seed, data) -> None:
    m = data.draw(st.one_of(st.none(), st.integers(1, len(rows))))
    drawn = _or_none(lambda: draw_apart(content_keys(rows), None, m, _rng(seed)))
    if drawn is not None:
        train, test = ([rows[row] for row in part] for part in (drawn.train, drawn.test))
        assert not set(train) & set(test)
        assert len(train) + len(test) + drawn.dropped == len(rows)
        assert len(set(drawn.train.tolist()) | set(drawn.test.tolist())) == len(train) + len(test)


@given(contents, seeds, st.data())
def test_a_smaller_sample_set_apart_is_the_first_part_of_a_larger(rows, seed, data) -> None:
    keys = content_keys(rows)
    m = data.draw(st.integers(1, len(rows)))
    whole = _or_none(lambda: draw_apart(keys, None, m, _rng(seed)))
    if whole is not None:
        n = data.draw(st.integers(1, len(whole.train)))
        assert draw_apart(keys, n, m, _rng(seed)).train.tolist() == whole.train[:n].tolist()
        fewer = draw_apart(keys, None, data.draw(st.integers(1, m)), _rng(seed))
        assert fewer.test.tolist() == whole.test[: len(fewer.test)].tolist()
        assert fewer.train[: len(whole.train)].tolist() == whole.train.tolist()


@given(contents, seeds)
def test_the_same_seed_draws_the_same(rows, seed) -> None:
    keys = content_keys(rows)
    draws = [_or_none(lambda: draw_apart(keys, None, 1, _rng(seed))) for _ in range(2)]
    both = [None if one is None else (one.train.tolist(), one.test.tolist()) for one in draws]
    assert both[0] == both[1]
    a, b = (_drawn(rows, ["x"], None, None, seed).train.tolist() for _ in range(2))
    assert a == b


def test_another_seed_draws_another_sample() -> None:
    rows = [str(row) for row in range(100)]
    a, b = (_drawn(rows, ["x"], 50, None, seed).train.tolist() for seed in (0, 1))
    assert set(a) != set(b)
    keys = content_keys(rows)
    c, d = (draw_apart(keys, None, 50, _rng(seed)).test.tolist() for seed in (0, 1))
    assert set(c) != set(d)


def test_every_row_is_as_likely_to_be_tested() -> None:
    keys = content_keys([str(row) for row in range(10)])
    tested = np.zeros(10)
    for seed in range(2000):
        tested[draw_apart(keys, None, 3, _rng(seed)).test] += 1
    # Six standard deviations of a binomial count of 2000 draws of probability 0.3.
    assert np.abs(tested - 600).max() < 6 * np.sqrt(2000 * 0.3 * 0.7)


def test_a_fifth_is_set_apart_where_no_number_is_asked_for() -> None:
    drawn = draw_apart(content_keys([str(row) for row in range(50)]), None, None, _rng(0))
    assert (len(drawn.train), len(drawn.test)) == (40, 10)


def test_more_than_there_is_is_answered_with_what_there_is() -> None:
    with pytest.raises(DataError, match=r"n_train=4, but 3 is all.*4 training rows, of which 1"):
        _drawn(["a", "b", "c", "d"], ["a"], 4, None, 0)
    with pytest.raises(DataError, match=r"n_test=2, but 1 is all.*1 test rows"):
        _drawn(["a", "b", "c", "d"], ["a"], 1, 2, 0)
    with pytest.raises(DataError, match=r"n_train=3, but 2 is all.*3 rows .*1 are for the test"):
        draw_apart(content_keys(["a", "b", "c"]), 3, 1, _rng(0))


def test_nothing_to_train_on_is_an_error() -> None:
    with pytest.raises(DataError, match=r"there is none.*of which 2 hold content of the test"):
        _drawn(["a", "a"], ["a"], None, None, 0)
