import pytest
from pydantic import ValidationError

from mezzanine_worlds_gymnasium.config import GymnasiumConfig


@pytest.mark.parametrize("policy", ["random", "a.b:c", "saved:folder/policy.npz"])
def test_policies_are_named_in_three_ways(policy: str) -> None:
    assert GymnasiumConfig(policy=f" {policy} ").policy == policy


@pytest.mark.parametrize("policy", ["", "randm", "module:", ":f", "saved:", "a b:c", "m:f:g"])
def test_other_policies_are_refused(policy: str) -> None:
    with pytest.raises(ValidationError, match="unknown policy"):
        GymnasiumConfig(policy=policy)


@pytest.mark.parametrize("name", ["render_mode", "max_episode_steps", "disable_env_checker"])
def test_arguments_that_the_world_sets_are_refused(name: str) -> None:
    with pytest.raises(ValidationError, match=f"{name} is set by the world"):
        GymnasiumConfig(env_kwargs={name: 1})


def test_arguments_without_a_json_form_are_refused() -> None:
    with pytest.raises(ValidationError, match="plain JSON values"):
        GymnasiumConfig(env_kwargs={"when": {1, 2}})


def test_a_delta_longer_than_every_episode_is_refused() -> None:
    with pytest.raises(ValidationError, match="delta_steps=11 is longer than every episode"):
        GymnasiumConfig(delta_steps=11, max_steps=10)
    assert GymnasiumConfig(delta_steps=10, max_steps=10).delta_steps == 10


def test_samples_that_cannot_be_spread_over_the_episodes_are_refused() -> None:
    settings = {"n_train": 100, "pairs_per_episode": 3}
    with pytest.raises(ValidationError, match="34 episodes, but max_episodes=33"):
        GymnasiumConfig(**settings, max_episodes=33, n_test=1)
    assert GymnasiumConfig(**settings, max_episodes=34, n_test=1).episodes_wanted(100) == 34


def test_without_a_limit_one_episode_may_give_all_samples() -> None:
    config = GymnasiumConfig(pairs_per_episode=None, n_train=10**6, n_test=1, max_episodes=1)
    assert config.episodes_wanted(10**6) == 1


def test_the_number_of_environments_is_no_part_of_the_fingerprint() -> None:
    one, four = (GymnasiumConfig(num_envs=n).fingerprint_payload() for n in (1, 4))
    assert one == four
