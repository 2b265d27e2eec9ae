import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mezzanine_encoders_hf.batching import longest_first, token_batches, window_tokens

LENGTHS = st.lists(st.integers(1, 300), max_size=60)


@given(lengths=LENGTHS, budget=st.integers(1, 2000))
def test_each_text_is_in_exactly_one_batch(lengths, budget):
    batches = list(token_batches(lengths, lambda: budget))
    assert sorted(row for batch in batches for row in batch) == list(range(len(lengths)))
    assert all(len(batch) for batch in batches)


@given(lengths=LENGTHS, budget=st.integers(1, 2000))
def test_a_padded_batch_is_within_the_budget_unless_it_is_one_text(lengths, budget):
    for batch in token_batches(lengths, lambda: budget):
        longest = max(lengths[row] for row in batch)
        assert len(batch) * longest <= budget or len(batch) == 1


@given(lengths=LENGTHS, budget=st.integers(1, 2000))
def test_no_batch_has_room_for_the_next_text(lengths, budget):
    batches = list(token_batches(lengths, lambda: budget))
    for batch in batches[:-1]:
        assert (len(batch) + 1) * lengths[batch[0]] > budget


@given(lengths=LENGTHS)
def test_texts_come_longest_first_and_equal_lengths_in_order(lengths):
    expected = sorted(range(len(lengths)), key=lambda row: (-lengths[row], row))
    assert longest_first(lengths).tolist() == expected
    batches = token_batches(lengths, lambda: 500)
    assert [row for batch in batches for row in batch] == expected


@given(lengths=LENGTHS, budget=st.integers(1, 2000))
def test_results_written_by_index_are_in_the_order_of_the_texts(lengths, budget):
    results = np.zeros(len(lengths), np.int64)
    for batch in token_batches(lengths, lambda: budget):
        results[batch] = np.asarray(lengths)[batch]
    assert results.tolist() == lengths


def test_a_budget_that_shrinks_on_the_way_holds_from_the_next_batch_on():
    budgets = iter([40, 20, 20, 10])
    batches = [batch.tolist() for batch in token_batches([10] * 9, lambda: next(budgets))]
    assert batches == [[0, 1, 2, 3], [4, 5], [6, 7], [8]]


def test_no_texts_make_no_batches():
    assert list(token_batches([], lambda: 100)) == []


@given(parameters=st.integers(0, 10**12), device=st.sampled_from(["cpu", "cuda", "mps"]))
def test_a_window_is_bounded_and_never_empty(parameters, device):
    assert 1 <= window_tokens(parameters, device) <= 2**20


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_a_larger_model_has_a_smaller_window(device):
    windows = [window_tokens(parameters, device) for parameters in (10**8, 10**9, 10**10, 10**11)]
    assert windows == sorted(windows, reverse=True)
    assert windows[0] > windows[-1]


def test_a_gpu_has_a_larger_window():
    assert window_tokens(10**9, "cuda") > window_tokens(10**9, "cpu")
