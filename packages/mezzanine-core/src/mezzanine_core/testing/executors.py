"""Laws of executors."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from mezzanine_core.testing.laws import BrokenLawError, Law, law, require
from mezzanine_core.testing.subject import Case

_TASKS = 40
_MANY = 2000


def square(number: int) -> int:
    """A task: the square of a number.

    Raises:
        ValueError: If it is negative.
    """
    if number < 0:
        raise ValueError(f"{number} is negative")
    return number * number


@law("Set the attribute `workers` to how many tasks may run at once, at least 1.")
def it_says_how_many_workers_it_has(case: Case) -> None:
    """The attribute workers is a positive whole number."""
    workers = case.instance.workers
    require(isinstance(workers, int) and workers >= 1, f"workers is {workers!r}")


@law("Yield results in the order of the tasks, whichever is done first.")
def results_come_in_the_order_of_the_tasks(case: Case) -> None:
    """Mapping gives what the builtin map gives; nothing for no task."""
    numbers = [(7 * number) % 19 for number in range(_TASKS)]
    with case.make() as executor:
        found = list(executor.map(square, numbers))
        require(found == [square(number) for number in numbers], f"squares came as {found}")
        require(not list(executor.map(square, [])), "no tasks gave results")


@law("Raise what a task raises where its result would come, after those before it.")
def an_error_comes_at_its_place(case: Case) -> None:
    """What a task raises is raised at its place in the order, and the executor goes on working."""
    with case.make() as executor:
        found: list[int] = []
        try:
            for result in executor.map(square, [3, 2, -1, 5]):
                found.append(result)
        except ValueError:
            pass
        else:
            raise BrokenLawError("the error of a task is lost")
        require(found == [9, 4], f"before the error of the third task came {found}")
        require(list(executor.map(square, [6])) == [36], "after an error it computes no more")


@law("Take tasks as results are asked for: keep a bounded number in flight.")
def tasks_are_taken_as_they_are_needed(case: Case) -> None:
    """Only a bounded number of tasks is taken from the iterator before results are consumed."""
    taken = 0

    def tasks() -> Iterator[int]:
        nonlocal taken
        for number in range(_MANY):
            taken += 1
            yield number

    with case.make() as executor:
        first = list(itertools.islice(executor.map(square, tasks()), 3))
        require(first == [0, 1, 4], f"the first results are {first}")
        require(taken < _MANY, f"it took all {taken} tasks before the fourth result was asked for")


@law("Let close() be called at any time, and start workers anew when they are needed.")
def closing_is_idempotent(case: Case) -> None:
    """close() may be called twice and before any task; a closed executor may be used again."""
    executor = case.make()
    executor.close()
    with executor:
        require(list(executor.map(square, [2])) == [4], "closed once, it computes no more")
    executor.close()
    with executor:
        require(list(executor.map(square, [3])) == [9], "closed again, it computes no more")


LAWS: tuple[Law, ...] = (
    it_says_how_many_workers_it_has,
    results_come_in_the_order_of_the_tasks,
    an_error_comes_at_its_place,
    tasks_are_taken_as_they_are_needed,
    closing_is_idempotent,
)
