import gymnasium
import numpy as np
import pytest

from mezzanine_core.errors import ConfigError, MissingDependencyError
from mezzanine_worlds_gymnasium.policies import load_policy, policy_identity
from mezzanine_worlds_gymnasium.saved import save_policy


@pytest.fixture
def env():
    return gymnasium.make("CartPole-v1")


def test_the_random_policy_is_the_sampling_of_the_space(env) -> None:
    policy = load_policy("random", env)
    env.action_space.seed(3)
    ours = [policy(None, step, np.random.default_rng(0), env.action_space) for step in range(9)]
    env.action_space.seed(3)
    assert ours == [env.action_space.sample() for _ in range(9)]


def test_a_scripted_policy_is_the_function(env) -> None:
    import gym_toys

    assert load_policy("gym_toys:push", env) is gym_toys.push


@pytest.mark.parametrize("identify", [policy_identity, lambda text: load_policy(text, None)])
def test_a_policy_that_is_not_there_is_named(identify) -> None:
    with pytest.raises(MissingDependencyError, match="no_such_module") as caught:
        identify("no_such_module:act")
    assert "PYTHONPATH" in str(caught.value)
    with pytest.raises(ConfigError, match="'gym_toys' has no function 'jump'"):
        identify("gym_toys:jump")
    with pytest.raises(ConfigError, match="no function 'NOT_CALLABLE'"):
        identify("gym_toys:NOT_CALLABLE")
    with pytest.raises(ConfigError, match=r"no policy file /no/such\.npz"):
        identify("saved:/no/such.npz")


def test_a_saved_policy_is_named_by_what_it_holds(tmp_path) -> None:
    one, same, other = (tmp_path / name for name in ("a.npz", "b.npz", "c.npz"))
    for path, value in ((one, 1.0), (same, 1.0), (other, 2.0)):
        save_policy(path, [(np.full((4, 2), value), np.zeros(2))])
    assert policy_identity(f"saved:{one}") == policy_identity(f"saved:{same}")
    assert policy_identity(f"saved:{one}") != policy_identity(f"saved:{other}")


def test_a_scripted_policy_is_named_by_its_code() -> None:
    identity = policy_identity("gym_toys:push")
    assert identity["name"] == "gym_toys:push"
    assert len(identity["sha256"]) == 64
