"""An executor that computes in turn."""

from contextlib import suppress

from mezzanine_core.executors import Executor


class InTurn(Executor):
    def __init__(self, config):
        self.fault = config.fault
        self.workers = 0 if self.fault == "no workers" else 1
        self.closed = False

    def map(self, function, tasks):
        if self.closed and self.fault == "closes for good":
            raise RuntimeError("closed")
        if self.fault == "takes all":
            tasks = list(tasks)
        if self.fault == "out of order":
            tasks = sorted(tasks)
        for task in tasks:
            if self.fault == "swallows":
                with suppress(ValueError):
                    yield function(task)
            else:
                yield function(task)

    def close(self):
        self.closed = True
