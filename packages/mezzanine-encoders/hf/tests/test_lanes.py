"""Forward passes side by side on a CPU."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mezzanine_encoders_hf.lanes import lanes, side_by_side


@given(items=st.integers(0, 20), count=st.integers(1, 4))
def test_results_come_in_the_order_of_the_items(items: int, count: int) -> None:
    assert list(side_by_side(lambda item: item**2, range(items), count)) == [
        item**2 for item in range(items)
    ]


def test_as_many_passes_as_there_are_lanes_are_computed_at_once() -> None:
    meeting = threading.Barrier(3)

    def meet(_item: int) -> bool:
        meeting.wait(timeout=30)  # breaks unless three come
        return True

    assert all(side_by_side(meet, range(6), 3))


def test_one_lane_is_the_thread_that_asks() -> None:
    names = set(side_by_side(lambda _item: threading.current_thread(), range(3), 1))
    assert names == {threading.current_thread()}


@pytest.mark.parametrize("count", [1, 2, 3])
def test_few_items_are_taken_ahead(count: int) -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for item in itertools.count():
            taken.append(item)
            yield item

    with closing(side_by_side(lambda item: item, items(), count)) as results:
        for given_so_far, _ in zip(range(1, 6), results, strict=False):
            assert len(taken) <= given_so_far + 2 * count


@pytest.mark.parametrize("count", [1, 2])
def test_a_pass_that_fails_does_so_in_its_turn(count: int) -> None:
    def work(item: int) -> float:
        return 1 / (2 - item)

    got: list[float] = []
    with closing(side_by_side(work, range(9), count)) as results:
        got += [next(results), next(results)]
        with pytest.raises(ZeroDivisionError):
            next(results)
    assert got == [0.5, 1.0]


def test_lanes_share_the_threads_and_give_them_back() -> None:
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(4)
        shares = list(side_by_side(lambda _item: torch.get_num_threads(), range(6), 2))
        assert shares == [2] * 6
        assert torch.get_num_threads() == 4
        later: list[int] = []
        thread = threading.Thread(target=lambda: later.append(torch.get_num_threads()))
        thread.start()
        thread.join()
        assert later == [4]
    finally:
        torch.set_num_threads(before)


def test_a_gpu_and_compiled_code_take_one_pass_after_the_other() -> None:
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(4)
        assert lanes(torch.device("cuda")) == 1
        assert lanes(torch.device("cpu"), compiled=True) == 1
        assert lanes(torch.device("cpu")) == 4
    finally:
        torch.set_num_threads(before)
