import numpy as np
import torch

from mezzanine_recipes_dynamics.randomness import repetition_streams, run_streams


def draws(seed, repetition):
    streams = repetition_streams(seed, repetition)
    return (
        torch.rand(4, generator=streams.weights).tolist(),
        torch.rand(4, generator=streams.batches).tolist(),
        streams.shuffles.random(4).tolist(),
    )


def run_draws(seed):
    return [stream.random(4).tolist() for stream in vars(run_streams(seed)).values()]


def test_same_seeds_give_the_same_streams():
    assert draws(3, 1) == draws(3, 1)
    assert run_draws(3) == run_draws(3)


def test_all_streams_differ():
    numbers = [tuple(stream) for pair in ((0, 0), (0, 1), (1, 0)) for stream in draws(*pair)]
    numbers += [tuple(stream) for seed in (0, 1) for stream in run_draws(seed)]
    assert len(set(numbers)) == len(numbers) == 23


def test_run_streams_are_not_those_of_repetition_zero():
    # (seed, 0) and (seed) are the same entropy to numpy; only the spawn keys tell them apart.
    children = np.random.default_rng([5, 0]).spawn(7)
    assert run_draws(5) != [child.random(4).tolist() for child in children]
