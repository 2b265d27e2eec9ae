"""From tokens to one vector."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mezzanine_encoders_hf import pooling


def tokens(seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def left_or_right(lengths: list[int], left: bool) -> torch.Tensor:
    """A mask of texts of those lengths, padded on one side."""
    mask = torch.zeros(len(lengths), max(lengths), dtype=torch.int64)
    for row, length in zip(mask, lengths, strict=True):
        row[len(row) - length :] = 1
        if not left:
            row.copy_(row.flip(0).clone())
    return mask


lengths = st.lists(st.integers(1, 9), min_size=1, max_size=5)


def test_mean_and_standard_deviation_are_those_of_numpy_in_double_precision() -> None:
    values = tokens(0, 3, 11, 5) * 4 + 7
    exact = values.double().numpy()
    expected = np.concatenate([exact.mean(axis=1), exact.std(axis=1)], axis=1)
    np.testing.assert_allclose(pooling.mean_std(values), expected, rtol=1e-5)
    np.testing.assert_allclose(pooling.mean(values), expected[:, :5], rtol=1e-5)


@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_one_token_alone_has_standard_deviation_zero(offset: float) -> None:
    one = tokens(0, 2, 1, 5) + offset
    assert (pooling.mean_std(one)[:, 5:] == 0).all()
    assert (pooling.masked_mean_std(one, torch.ones(2, 1))[:, 5:] == 0).all()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_summed_in_float32(dtype: torch.dtype) -> None:
    # A thousand ones and one sixteenth: sums in half precision would lose the fraction.
    values = torch.full((1, 1000, 2), 1.0625, dtype=dtype)
    for pooled in (pooling.mean(values), pooling.masked_mean(values, torch.ones(1, 1000))):
        assert pooled.dtype == torch.float32
        np.testing.assert_allclose(pooled, 1.0625, rtol=1e-6)


@given(lengths=lengths, left=st.booleans(), seed=st.integers(0, 99))
def test_masked_pooling_is_pooling_of_the_tokens_that_count(
    lengths: list[int], left: bool, seed: int
) -> None:
    mask = left_or_right(lengths, left)
    values = tokens(seed, *mask.shape, 4)
    for masked, plain in (
        (pooling.masked_mean, pooling.mean),
        (pooling.masked_mean_std, pooling.mean_std),
    ):
        pooled = masked(values, mask)
        for row, kept in enumerate(mask.bool()):
            alone = plain(values[row : row + 1, kept])
            np.testing.assert_allclose(pooled[row : row + 1], alone, rtol=1e-4, atol=1e-5)


@given(lengths=lengths, left=st.booleans(), seed=st.integers(0, 99))
def test_first_and_last_are_the_outermost_tokens_that_count(
    lengths: list[int], left: bool, seed: int
) -> None:
    mask = left_or_right(lengths, left)
    values = tokens(seed, *mask.shape, 4)
    for row, kept in enumerate(mask.bool()):
        assert (pooling.first(values, mask)[row] == values[row, kept][0]).all()
        assert (pooling.last(values, mask)[row] == values[row, kept][-1]).all()


@pytest.mark.parametrize(
    "pool", [pooling.masked_mean, pooling.masked_mean_std, pooling.first, pooling.last]
)
def test_what_does_not_count_does_not_matter(
    pool: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
) -> None:
    mask = left_or_right([2, 5, 3], left=False)
    values = tokens(0, 3, 5, 4)
    other = torch.where(mask.bool().unsqueeze(-1), values, 1e6)
    assert torch.equal(pool(values, mask), pool(other, mask))


def test_one_token_alone_gives_the_standard_deviation_no_gradient() -> None:
    values = tokens(0, 2, 3, 5).requires_grad_()
    mask = left_or_right([1, 3], left=False)
    pooling.masked_mean_std(values, mask)[:, 5:].sum().backward()  # type: ignore[no-untyped-call]
    assert values.grad is not None
    assert (values.grad[0] == 0).all()
    # d std / d x = (x - mean) / (n std)
    exact = values[1].detach().double()
    expected = (exact - exact.mean(dim=0)) / (3 * exact.std(dim=0, correction=0))
    torch.testing.assert_close(values.grad[1].double(), expected, rtol=0, atol=1e-5)


def test_a_standard_deviation_that_is_no_number_stays_so() -> None:
    values = tokens(0, 1, 3, 2)
    values[0, 0, 0] = torch.nan
    deviation = pooling.masked_mean_std(values, torch.ones(1, 3))[0, 2:]
    assert deviation.isnan().tolist() == [True, False]
