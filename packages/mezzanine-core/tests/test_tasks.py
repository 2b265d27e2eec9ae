"""Tasks: what a set of them must be, what an act must be, and which worlds give them."""

import numpy as np
import pytest

from mezzanine_core.errors import DataError
from mezzanine_core.tasks import PlayableWorld, Step, Task, TaskSet, check_act


class Walk(Task):
    """From 0 to a number, by steps of at most 1."""

    def __init__(self, goal):
        self.name = self.family = f"to {goal}"
        self.goal = np.array([goal], np.float32)
        self.steps = 5
        self.bounds = (np.full(1, -1, np.float32), np.ones(1, np.float32))
        self.idle = np.zeros(1, np.float32)
        self.oracle = np.full((goal, 1), 1.0, np.float32)
        self.closed = False

    def start(self):
        self._place = np.zeros(1, np.float32)
        self._left = self.steps
        return self._place

    def act(self, features):
        self._place = self._place + check_act(features, 1, self.name)
        self._left -= 1
        distance = float(abs(self._place - self.goal)[0])
        return Step(self._place, self._left == 0, distance == 0, distance)

    def propose(self, count, steps, rng):
        return rng.uniform(-1, 1, (count, steps, 1)).astype(np.float32)

    def close(self):
        self.closed = True


def test_a_set_of_no_tasks_is_refused():
    with pytest.raises(DataError, match="at least one"):
        TaskSet(())


def test_two_tasks_of_one_name_are_refused():
    with pytest.raises(DataError, match="different names"):
        TaskSet((Walk(2), Walk(2)))
    assert len(TaskSet((Walk(1), Walk(2)))) == 2


def test_a_task_is_closed_at_the_end_of_its_context():
    with Walk(2) as task:
        task.start()
        assert [task.act(act).solved for act in task.oracle] == [False, True]
    assert task.closed


def test_a_world_that_gives_tasks_is_playable_and_another_is_not():
    class Given:
        def tasks(self, count, steps, seed):
            return TaskSet(tuple(Walk(goal) for goal in range(1, count + 1)))

    assert isinstance(Given(), PlayableWorld)
    assert not isinstance(object(), PlayableWorld)


@pytest.mark.parametrize(
    ("act", "message"),
    [([1.0, 2.0], r"shape \[2\]; expected \[1\]"), ([np.nan], "not finite"), (1.0, r"shape \[\]")],
)
def test_acts_of_another_shape_or_not_finite_are_refused_with_the_name_of_the_task(act, message):
    with pytest.raises(DataError, match=message) as caught:
        check_act(act, 1, "to 3")
    assert caught.value.message.startswith("to 3")


def test_an_act_becomes_float32():
    assert check_act([1], 1, "t").dtype == np.float32
