import numpy as np
import pytest
import torch

from mezzanine_core.errors import ConfigError
from mezzanine_recipes_dynamics.planning import GoalNoise, colouring, goal_seeds


def power_law(real, imaginary, exponent):
    """What the package colorednoise makes of the normal numbers of each frequency, in numpy."""
    samples = 2 * (len(real) - 1) if len(imaginary) < len(real) - 1 else 2 * len(real) - 1
    scale = np.fft.rfftfreq(samples)
    scale[0] = scale[1]
    scale = scale ** (-exponent / 2)
    spectrum = scale * real
    spectrum[0] *= np.sqrt(2)
    spectrum = spectrum.astype(complex)
    if samples % 2 == 0:
        spectrum[-1] *= np.sqrt(2)
        spectrum[1:-1] += 1j * (scale[1:-1] * imaginary)
    else:
        spectrum[1:] += 1j * (scale[1:] * imaginary)
    return np.fft.irfft(spectrum, n=samples)


@pytest.mark.parametrize("horizon", [2, 3, 4, 5, 8, 9])
@pytest.mark.parametrize("colour", [0.5, 1.0, 2.0])
def test_noise_is_that_of_the_formula_up_to_its_scale(horizon, colour):
    numbers = np.random.default_rng(0).standard_normal(horizon)
    single = 2 if horizon % 2 == 0 else 1
    pairs = numbers[single:].reshape(-1, 2)
    last = [numbers[1]] if horizon % 2 == 0 else []
    expected = power_law(np.array([numbers[0], *pairs[:, 0], *last]), pairs[:, 1], colour)
    found = colouring(horizon, colour).double().numpy() @ numbers
    ratio = found / expected
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-4)


@pytest.mark.parametrize("horizon", [1, 2, 5, 8])
def test_every_step_has_variance_one_and_the_noise_is_stationary(horizon):
    matrix = colouring(horizon, 1.5)
    covariance = matrix @ matrix.T
    torch.testing.assert_close(covariance.diagonal(), torch.ones(horizon))
    for lag in range(horizon):
        along = covariance.diagonal(lag)
        torch.testing.assert_close(along, along[:1].expand_as(along))


def test_white_noise_stays_white():
    matrix = colouring(7, 0.0)
    torch.testing.assert_close(matrix @ matrix.T, torch.eye(7), atol=1e-5, rtol=0)


def test_noise_keeps_to_one_direction_the_longer_the_redder_it_is():
    next_steps = [
        float((colouring(9, colour) @ colouring(9, colour).T)[0, 1]) for colour in (0, 1, 2)
    ]
    assert next_steps == sorted(next_steps)
    assert next_steps[0] == pytest.approx(0, abs=1e-5)
    assert next_steps[2] > 0.5


@pytest.mark.parametrize("colour", [0.0, 1.0])
def test_goals_draw_from_their_own_generators(colour):
    def noise(seeds):
        return GoalNoise(seeds, 4, 3, colour=colour, device=torch.device("cpu"))

    together = noise([1, 2, 3])
    first, later = together.draw([0, 1, 2], 5), together.draw([2, 0], 6)
    alone = noise([3])
    assert torch.equal(alone.draw([0], 5)[0], first[2])
    assert torch.equal(alone.draw([0], 6)[0], later[0])
    assert not torch.equal(first[0], first[1])


@pytest.mark.parametrize("colour", [0.0, 2.0])
def test_drawn_noise_has_the_covariance_of_its_colour(colour):
    drawn = GoalNoise([0], 4, 2, colour=colour, device=torch.device("cpu")).draw([0], 50_000)[0]
    matrix = colouring(4, colour)
    for feature in range(2):
        torch.testing.assert_close(
            drawn[:, :, feature].T.cov(), matrix @ matrix.T, atol=0.03, rtol=0
        )
    assert abs(float((drawn[:, :, 0] * drawn[:, :, 1]).mean())) < 0.02


@pytest.mark.parametrize(("horizon", "colour"), [(0, 1.0), (3, -1.0), (3, float("inf"))])
def test_noise_out_of_range_is_refused(horizon, colour):
    with pytest.raises(ConfigError, match="colour"):
        colouring(horizon, colour)


def test_negative_seeds_are_refused():
    with pytest.raises(ConfigError, match="seed=-1"):
        goal_seeds(-1, 3)
