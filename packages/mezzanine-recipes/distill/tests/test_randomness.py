import numpy as np
import pytest
import torch

from mezzanine_recipes_distill.randomness import (
    repetition_streams,
    run_rngs,
    run_streams,
    torch_generator,
)


def draws(streams):
    return {
        name: (
            torch.rand(4, generator=stream).tolist()
            if isinstance(stream, torch.Generator)
            else stream.random(4).tolist()
        )
        for name, stream in vars(streams).items()
    }


def test_same_seeds_give_the_same_streams():
    assert draws(repetition_streams(3, 1)) == draws(repetition_streams(3, 1))
    assert draws(run_streams(3)) == draws(run_streams(3))


def test_all_streams_differ():
    sources = [repetition_streams(*pair) for pair in ((0, 0), (0, 1), (1, 0))]
    sources += [run_streams(0), run_streams(1)]
    numbers = [tuple(values) for streams in sources for values in draws(streams).values()]
    assert len(set(numbers)) == len(numbers) == 23


def test_run_streams_are_not_those_of_repetition_zero():
    # (seed, 0) and (seed) are the same entropy to numpy; only the spawn keys tell them apart.
    children = np.random.default_rng([5, 0]).spawn(1)
    assert run_streams(5).bootstrap.random() != children[0].random()


@pytest.mark.parametrize("more", [2, 5])
def test_asking_for_more_generators_leaves_the_first_as_they_are(more):
    first = run_rngs(4, 1)[0].random(3).tolist()
    assert run_rngs(4, more)[0].random(3).tolist() == first


def test_torch_generator_follows_from_that_of_numpy():
    one, same, other = (torch_generator(np.random.default_rng(seed)) for seed in (0, 0, 1))
    numbers = [torch.rand(3, generator=generator).tolist() for generator in (one, same, other)]
    assert numbers[0] == numbers[1] != numbers[2]
