import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mezzanine_core.episodes import draw_pairs
from mezzanine_worlds_gymnasium.config import GymnasiumConfig
from mezzanine_worlds_gymnasium.overlap import overlap, transitions
from mezzanine_worlds_gymnasium.rollout import RollTask, roll


def _split(config: GymnasiumConfig, split: str, count: int, n: int):
    episodes = [roll(RollTask(config, split, number)) for number in range(count)]
    lengths = np.array([len(episode) for episode in episodes])
    rng = np.random.default_rng(0)
    return episodes, draw_pairs(lengths, np.arange(count), config.delta_steps, n, rng)


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 3), st.integers(0, 10**6))
def test_overlap_is_what_comparing_every_pair_of_samples_finds(delta: int, seed: int) -> None:
    config = GymnasiumConfig(
        env_id="FrozenLake-v1", observations="vector", delta_steps=delta, seed=seed, max_steps=20
    )
    train, train_pairs = _split(config, "train", 8, 6)
    test, test_pairs = _split(config, "test", 5, 4)
    found = overlap(train, train_pairs, test, test_pairs, delta)

    def samples(episodes, pairs):
        return [
            (
                episodes[e].vectors[t].tolist(),
                episodes[e].actions[t : t + delta].tolist(),
                episodes[e].vectors[t + delta].tolist(),
            )
            for e, t in zip(pairs.episode, pairs.start, strict=True)
        ]

    ours, theirs = samples(train, train_pairs), samples(test, test_pairs)
    assert found["shared_transitions"] == sum(sample in ours for sample in theirs)
    assert found["repeated_transitions"] == sum(
        sample in theirs[:place] for place, sample in enumerate(theirs)
    )
    known = [sample[0] for sample in ours]
    assert found["samples_with_shared_observation"] == sum(s[0] in known for s in theirs)
    # Every game starts in the same corner.
    assert (found["shared_starts"], found["shared_seeds"]) == (5, 0)


def test_a_split_shares_everything_with_itself() -> None:
    config = GymnasiumConfig(env_id="CartPole-v1", delta_steps=2)
    episodes, pairs = _split(config, "train", 3, 10)
    found = overlap(episodes, pairs, episodes, pairs, 2)
    assert found["shared_transitions"] == found["samples_with_shared_observation"] == 10
    assert found["shared_starts"] == found["shared_seeds"] == 3
    assert len(set(transitions(episodes, pairs, 2))) == 10
