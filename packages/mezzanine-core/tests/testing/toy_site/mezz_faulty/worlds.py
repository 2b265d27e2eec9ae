"""A world of vectors: numbers, and what comes after them."""

import itertools
from uuid import uuid4

import numpy as np

from mezz_faulty.configs import FaultyExecutor
from mezz_faulty.executors import InTurn
from mezzanine_core.errors import DataError
from mezzanine_core.fingerprint import fingerprint, item_keys
from mezzanine_core.tasks import Step, Task, TaskSet
from mezzanine_core.worlds import Column, Labelled, Transitions, World, WorldData

LOADS = itertools.count()


def vector(task):
    number, scale = task
    return np.array([number, 1.0], np.float32) * np.float32(scale)


class NumberColumn(Column):
    kind = "vector"

    def __init__(self, numbers, keys, config):
        self.numbers = numbers
        self.keys = keys
        self.config = config

    def fetch(self, rows, executor):
        fault = self.config.fault
        tasks = [(int(number), self.config.scale) for number in self.numbers[rows]]
        items = np.array(list(executor.map(vector, tasks))).reshape(-1, 2)
        if fault == "position":
            items[:, 1] += np.arange(len(rows))
        elif fault == "workers" and executor.workers > 1:
            items += 1
        elif fault == "float64":
            items = items.astype(np.float64)
        elif fault == "infinite":
            items[:, 1] = np.inf
        elif fault == "twice":
            yield rows[:1], items[:1]
        elif fault == "left out":
            rows, items = rows[1:], items[1:]
        if len(rows):
            yield rows, items


class Numbers(World):
    def source(self):
        given = {"numbers": 1, "scale": self.config.scale}
        if self.config.fault == "source":
            given["seed"] = self.config.seed
        return {} if self.config.fault == "no source" else given

    def fingerprint(self):
        payload = self.config.fingerprint_payload()
        del payload["name"]
        match self.config.fault:
            case "id":
                payload["id"] = str(uuid4())
            case "hash":
                payload["hash"] = hash("numbers")
            case "forgets":
                del payload["scale"]
            case "batch":
                payload["batch"] = self.config.batch
            case "name":
                payload["name"] = self.config.name
        return fingerprint(payload)

    loaded = 0

    def load(self):
        config, fault = self.config, self.config.fault
        self.loaded += 1
        rng = np.random.default_rng(config.seed)
        numbers = rng.permutation(60)[: config.n_train + 7]
        if fault == "moody":
            numbers = numbers[:: 1 if self.loaded == 1 else -1]
        if fault == "unfingerprinted":
            numbers = np.roll(numbers, config.batch)
        train, test = numbers[: config.n_train], numbers[config.n_train :]
        if fault == "leaking":
            test[0] = train[0]
        splits = {"train": self.split(train), "test": self.split(test)}
        if fault == "no test":
            del splits["test"]
        if fault == "empty":
            splits["test"] = self.split(test[:0])
        if fault == "unlike":
            splits["test"] = Labelled(splits["test"].obs, np.zeros(len(test), np.int64), ("a",))
        if fault == "eager":
            list(splits["train"].obs.fetch(np.arange(2), InTurn(FaultyExecutor())))
        if fault == "not data":
            return splits
        return WorldData(splits, {"what": object()} if fault == "report" else {"train": 9})

    def split(self, numbers):
        fault = self.config.fault
        following = (numbers + 1) % 60
        salt = {
            "numbered": lambda: next(LOADS),
            "hashed": lambda: hash("numbers"),
        }.get(fault, lambda: 0)()
        source = fingerprint(self.source())
        if fault == "rendering":
            source = "numbers"

        def keys(values):
            found = item_keys(source, [[salt, int(number)] for number in values])
            if fault == "colliding" and self.config.seed == 0 and self.config.scale == 2.0:
                found = found.copy()
                found[-1] = found[0]
            return found

        return Transitions(
            obs=NumberColumn(numbers, keys(numbers), self.config),
            next_obs=NumberColumn(following, keys(following), self.config),
            action=np.ones((len(numbers), 1), np.float32),
            action_names=("step",),
            episode=np.arange(len(numbers)),
            keys=item_keys(fingerprint(self.source()), [[salt, "pair", int(n)] for n in numbers]),
        )

    def tasks(self, count, steps, seed):
        return TaskSet(tuple(Count(f"{seed}-{n}", steps, self.config.fault) for n in range(count)))


class Count(Task):
    """To come from 0 to ``steps`` by steps of 1."""

    def __init__(self, name, steps, fault):
        self.name = self.family = name if fault != "names" else f"{name}-{next(LOADS)}"
        self.steps = steps
        self.bounds, self.idle = None, None
        self.goal = vector((steps, 1.0))
        self.oracle = np.ones((steps, 1), np.float32)
        self.fault = fault
        self.at = None

    def start(self):
        self.at = 0
        return vector((next(LOADS) if self.fault == "start" else 0, 1.0))

    def act(self, features):
        if self.at is None:
            raise DataError("not started")
        self.at += float(features[0])
        left = abs(self.steps - self.at)
        solved = left == 0 and self.fault != "oracle"
        return Step(vector((self.at, 1.0)), solved, solved, left)

    def propose(self, count, steps, rng):
        return rng.integers(0, 2, (count, steps, 1)).astype(np.float32)

    def close(self):
        self.at = None
