"""The executor contract: where independent tasks run."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Self, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class Executor(ABC):
    """Runs independent, picklable tasks; results never depend on where or with how many workers.

    Attributes:
        workers: How many tasks may run at once; 1 means in the calling thread.
    """

    workers: int

    @abstractmethod
    def map(self, function: Callable[[T], R], tasks: Iterable[T]) -> Iterator[R]:
        """Apply ``function`` to each task and yield the results in the order of the tasks.

        Only a bounded number of tasks is in flight, so memory does not grow with their number.

        Args:
            function: A module-level callable: it is pickled by reference to reach a worker that
                was spawned, not forked.
            tasks: Picklable inputs, consumed lazily.

        Raises:
            Exception: What a task raises, at that task's place in the order.
        """

    @abstractmethod
    def close(self) -> None:
        """Stop the workers. Idempotent; a closed executor may start them anew."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
