"""Worlds of which it is known whether the action matters."""

import numpy as np
from pydantic import Field

from mezzanine_core.config import WorldConfig
from mezzanine_core.fingerprint import fingerprint, item_keys
from mezzanine_core.tasks import Step, Task, TaskSet, check_act
from mezzanine_core.worlds import ArrayColumn, Transitions, World, WorldData


class LinearConfig(WorldConfig):
    """Noisy linear dynamics of which a share is due to the action."""

    n_train: int = Field(600, ge=0)
    n_test: int = Field(200, ge=0)
    length: int = 8
    effect: float = Field(1.0, description="How much the action moves the state; 0: not at all")
    noise: float = 0.1
    per_episode: int = Field(4, ge=1)
    leak: int = Field(0, ge=0, description="Test transitions that are copies of training ones")
    one_hot: bool = Field(False, description="Whether there are only two actions")


class LinearWorld(World[LinearConfig]):
    """z' = A z + effect · B a + noise, with A a rotation and a of two standard normal features."""

    def source(self):
        return {"world": "test_linear", **self.config.fingerprint_payload()}

    def fingerprint(self):
        return fingerprint(self.source())

    def load(self):
        config = self.config
        fixed = np.random.default_rng(12345)
        turn = np.linalg.qr(fixed.standard_normal((config.length, config.length)))[0]
        push = fixed.standard_normal((2, config.length))
        rng = np.random.default_rng([config.seed, 1])

        def draw(count, first_episode):
            state = rng.standard_normal((count, config.length))
            action = rng.standard_normal((count, 2))
            if config.one_hot:
                action = np.eye(2)[np.argmax(action, axis=1)]
            noise = config.noise * rng.standard_normal(state.shape)
            then = state @ turn + config.effect * action @ push + noise
            episode = first_episode + np.arange(count) // config.per_episode
            return [state, action, then, episode]

        train = draw(config.n_train, 0)
        test = draw(config.n_test, 10**6)
        for mine, others in zip(test, train, strict=True):
            mine[: config.leak] = others[: config.leak]
        return WorldData(
            splits={"train": self._split(*train), "test": self._split(*test)},
            report={"truth": "the action matters" if config.effect else "it does not"},
        )

    def _split(self, state, action, then, episode):
        state, action, then = (part.astype(np.float32) for part in (state, action, then))
        whole = np.concatenate([state, action, then], axis=1)
        return Transitions(
            obs=ArrayColumn(state, "vector"),
            next_obs=ArrayColumn(then, "vector"),
            action=action,
            action_names=("push_0", "push_1"),
            episode=episode.astype(np.int64),
            keys=item_keys("test_linear", (row.tolist() for row in whole)),
        )


class Steering(Task):
    """To turn a vector, by noiseless linear dynamics, into a direction that two pushes lead to."""

    tolerance = 0.02

    def __init__(self, name, steps, choices, rng, length=8):
        fixed = np.random.default_rng(12345)
        self.turn = np.linalg.qr(fixed.standard_normal((length, length)))[0]
        self.push = fixed.standard_normal((2, length))
        self.name, self.family, self.steps = name, name, steps
        self.choices = choices
        self.idle = np.zeros(2, np.float32)
        self.bounds = None if choices else (np.full(2, -2, np.float32), np.full(2, 2, np.float32))
        self.begin = rng.standard_normal(length)
        self.oracle = self.propose(1, steps, rng)[0]
        state = self.begin
        for act in self.oracle:
            state = self.follow(state, act)
        self.goal = state.astype(np.float32)

    def follow(self, state, act):
        return state @ self.turn + act @ self.push

    def start(self):
        self.state, self.acts, self.solved = self.begin, 0, False
        return self.state.astype(np.float32)

    def act(self, features):
        act = check_act(features, 2, self.name)
        self.state = self.follow(self.state, act)
        self.acts += 1
        cosine = self.state @ self.goal / np.linalg.norm(self.state) / np.linalg.norm(self.goal)
        distance = float(max(0.0, 1 - cosine))
        self.solved = distance <= self.tolerance
        over = self.solved or self.acts == self.steps
        return Step(self.state.astype(np.float32), over, self.solved, distance)

    def propose(self, count, steps, rng):
        if self.choices:
            return rng.choice([-2.0, 0.0, 2.0], (count, steps, 2)).astype(np.float32)
        return rng.uniform(-2, 2, (count, steps, 2)).astype(np.float32)

    def close(self):
        pass


class SteeredConfig(LinearConfig):
    """The linear world, to be acted in."""

    noise: float = 0.0
    choices: bool = Field(False, description="Whether there are only nine actions")
    families: int = Field(0, description="Tasks are of so many families; 0: each of its own")


class SteeredWorld(LinearWorld):
    """:class:`LinearWorld` with tasks."""

    def tasks(self, count, steps, seed):
        rng = np.random.default_rng([seed, 9])
        tasks = [Steering(f"task {i}", steps, self.config.choices, rng) for i in range(count)]
        for place, task in enumerate(tasks):
            if self.config.families:
                task.family = f"family {place % self.config.families}"
        return TaskSet(tuple(tasks), {"tolerance": Steering.tolerance})


class DotConfig(WorldConfig):
    """A dark dot on a light ground that the action moves."""

    n_train: int = 300
    n_test: int = 60
    side: int = 24
    static: float = Field(0.0, description="Share of transitions with no action")


class DotWorld(World[DotConfig]):
    """Images of a 4 × 4 dot; the action says by how much it moves in x and y."""

    def source(self):
        return {"world": "test_dot", "side": self.config.side}

    def fingerprint(self):
        return fingerprint({**self.source(), **self.config.fingerprint_payload()})

    def load(self):
        rng = np.random.default_rng([self.config.seed, 2])
        return WorldData(
            splits={
                name: self._split(rng, n)
                for name, n in (("train", self.config.n_train), ("test", self.config.n_test))
            }
        )

    def _split(self, rng, n):
        place = rng.integers(0, self.config.side - 4, (n, 2))
        target = rng.integers(0, self.config.side - 4, (n, 2))
        still = rng.random(n) < self.config.static
        target[still] = place[still]
        move = (target - place).astype(np.float32) / self.config.side
        return Transitions(
            obs=self._frames(place),
            next_obs=self._frames(target),
            action=move,
            action_names=("move_x", "move_y"),
            episode=np.arange(n, dtype=np.int64),
            keys=item_keys("test_dot", np.concatenate([place, target], axis=1).tolist()),
        )

    def _frames(self, places):
        images = np.full((len(places), self.config.side, self.config.side, 3), 255, dtype=np.uint8)
        for image, (x, y) in zip(images, places, strict=True):
            image[y : y + 4, x : x + 4] = (20, 40, 90)
        return ArrayColumn(images, "image", item_keys("test_dot_frame", places.tolist()))
