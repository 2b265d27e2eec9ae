"""Work that goes on beside the device."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import closing

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mezzanine_encoders_hf.prefetch import Landing, in_order


def workers() -> list[threading.Thread]:
    return [t for t in threading.enumerate() if t.name.startswith("mezz-prefetch")]


@given(count=st.integers(0, 20), threads=st.integers(1, 4), ahead=st.integers(1, 9))
def test_results_come_in_the_order_of_the_items(count: int, threads: int, ahead: int) -> None:
    def square(item: int) -> int:
        time.sleep(0.002 * (item % 3 == 0))
        return item**2

    results = in_order(square, range(count), threads=threads, ahead=ahead)
    assert list(results) == [item**2 for item in range(count)]


def test_an_item_is_worked_on_while_the_one_before_it_is_used() -> None:
    begun = [threading.Event() for _ in range(5)]

    def work(item: int) -> int:
        begun[item].set()
        return item

    with closing(in_order(work, range(5), threads=1, ahead=2)) as results:
        for item in results:
            assert all(event.wait(10) for event in begun[item : item + 2])


@given(threads=st.integers(1, 3), ahead=st.integers(1, 6))
def test_no_more_items_are_taken_ahead_than_was_said(threads: int, ahead: int) -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for item in itertools.count(1):
            taken.append(item)
            yield item

    with closing(in_order(lambda item: item, items(), threads=threads, ahead=ahead)) as results:
        for used in itertools.islice(results, 10):
            assert used <= len(taken) < used + ahead


def test_what_work_raises_comes_in_its_turn() -> None:
    def work(item: int) -> int:
        if item == 3:
            raise ValueError("item three")
        return item

    results = in_order(work, range(9), threads=2, ahead=8)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="item three"):
        next(results)
    assert not workers()


def test_what_taking_an_item_raises_comes_after_the_results_before_it() -> None:
    def items() -> Iterator[int]:
        yield from range(3)
        raise OSError("no more data")

    results = in_order(lambda item: item, items(), threads=2, ahead=8)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(OSError, match="no more data"):
        next(results)
    assert not workers()


def test_threads_are_gone_when_the_results_are_closed_early() -> None:
    results = in_order(lambda item: item, itertools.count(), threads=3, ahead=6)
    assert next(results) == 0
    assert workers()
    results.close()
    assert not workers()


def test_work_that_was_not_begun_is_dropped_when_the_results_are_closed() -> None:
    done: list[int] = []
    go = threading.Event()

    def work(item: int) -> int:
        assert item == 0 or go.wait(10)
        done.append(item)
        return item

    results = in_order(work, range(100), threads=1, ahead=50)
    assert next(results) == 0
    go.set()
    results.close()
    assert len(done) < 50


def test_a_tensor_of_the_cpu_lands_as_it_is() -> None:
    tensor = torch.arange(4.0)
    assert Landing(tensor).wait() is tensor


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_tensor_lands_with_the_values_it_had_when_it_left() -> None:
    tensor = torch.zeros(1 << 20, device="cuda")
    landings = []
    for step in range(5):
        tensor += 1
        landings.append((step + 1, Landing(tensor)))
    assert all((landing.wait() == value).all() for value, landing in landings)
