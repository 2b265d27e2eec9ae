import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from mezzanine_encoders_hf import attention
from mezzanine_encoders_hf.attention import PlainAttention

pytestmark = pytest.mark.skipif(
    not torch.ops.mkldnn._is_mkldnn_bf16_supported(),
    reason="oneDNN does not take bfloat16 on this CPU",
)

SIZES = st.tuples(*(st.integers(1, most) for most in (5, 3, 9, 9, 8)))


def parts(items, heads, queries, keys, width, seed=0, dtype=torch.bfloat16):
    torch.manual_seed(seed)
    shapes = ((queries, width), (keys, width), (keys, width))
    return [torch.randn(items, heads, *shape).to(dtype) for shape in shapes]


def attend(*arguments, **options):
    with torch.inference_mode(), PlainAttention():
        return functional.scaled_dot_product_attention(*arguments, **options)


def exact(*arguments, attn_mask=None, **options):
    """The attention of torch in float64."""
    bias = attn_mask
    if attn_mask is not None and attn_mask.dtype != torch.bool:
        bias = attn_mask.double()
    wide = [argument.double() for argument in arguments]
    return functional.scaled_dot_product_attention(*wide, attn_mask=bias, **options)


def assert_close(narrow, wide):
    torch.testing.assert_close(narrow.double(), wide, rtol=0.03, atol=0.03)


@settings(deadline=None, max_examples=60)
@given(SIZES, st.sampled_from([None, 0.3]), st.booleans(), st.integers(0, 9))
def test_attention_is_that_of_torch(sizes, scale, masked, seed):
    items, _, queries, keys, _ = sizes
    given_parts = parts(*sizes, seed=seed)
    mask = None
    if masked:
        mask = torch.rand(items, 1, queries, keys) < 0.5
        mask[..., 0] = True
    assert_close(
        attend(*given_parts, attn_mask=mask, scale=scale),
        exact(*given_parts, attn_mask=mask, scale=scale),
    )


@pytest.mark.parametrize("shape", [(3, 1, 1, 6), (3, 2, 4, 6), (3, 1, 4, 6)])
def test_masks_of_numbers_are_added_to_the_scores(shape):
    given_parts = parts(3, 2, 4, 6, 8)
    mask = torch.randn(shape).to(torch.bfloat16)
    assert_close(attend(*given_parts, attn_mask=mask), exact(*given_parts, attn_mask=mask))


@pytest.mark.parametrize("pairs", [1, 2, 3, 7])
@pytest.mark.parametrize("shape", [(5, 1, 1, 6), (5, 2, 4, 6), (5, 1, 4, 6), None])
def test_attention_in_parts_is_that_of_the_whole(monkeypatch, shape, pairs):
    given_parts = parts(5, 2, 4, 6, 8)
    mask = None if shape is None else torch.randn(shape).to(torch.bfloat16)
    whole = attend(*given_parts, attn_mask=mask)
    monkeypatch.setattr(attention, "_SCORES_BYTES", pairs * 4 * 6 * 2)
    torch.testing.assert_close(attend(*given_parts, attn_mask=mask), whole)


def test_the_mask_of_padding_is_that_of_every_query():
    given_parts = parts(5, 2, 4, 6, 8)
    mask = torch.arange(6) < torch.tensor([6, 5, 1, 2, 3])[:, None, None, None]
    expected = attend(*given_parts, attn_mask=mask)
    for spelt in (mask.expand(5, 1, 4, 6), mask.expand(5, 2, 4, 6), mask.repeat(1, 1, 4, 1)):
        assert torch.equal(attend(*given_parts, attn_mask=spelt), expected)


def test_scores_of_any_size_are_weighed():
    query, key, value = parts(2, 2, 5, 5, 8)
    for factor in (30.0, 1000.0):  # beyond what an exponential reaches
        assert_close(attend(query * factor, key, value), exact(query * factor, key, value))


def test_another_mask_of_the_same_pass_is_noticed():
    given_parts = parts(2, 2, 4, 4, 8)
    masks = [torch.arange(4).expand(2, 1, 4, 4) < length for length in (1, 3)]
    with torch.inference_mode(), PlainAttention():
        for mask in (*masks, masks[0]):
            result = functional.scaled_dot_product_attention(*given_parts, attn_mask=mask)
            assert_close(result, exact(*given_parts, attn_mask=mask))


@pytest.mark.parametrize("options", [{"is_causal": True}, {"dropout_p": 0.5}])
def test_what_is_not_covered_is_left_to_torch(options):
    given_parts = parts(2, 2, 5, 5, 8)
    torch.manual_seed(3)
    left = attend(*given_parts, **options)
    torch.manual_seed(3)
    with torch.inference_mode():
        assert torch.equal(left, functional.scaled_dot_product_attention(*given_parts, **options))


def test_other_dtypes_are_left_to_torch():
    given_parts = parts(2, 2, 5, 5, 8, dtype=torch.float32)
    with torch.inference_mode():
        expected = functional.scaled_dot_product_attention(*given_parts)
    assert torch.equal(attend(*given_parts), expected)


def test_gradients_are_left_to_torch():
    given_parts = [part.requires_grad_() for part in parts(2, 2, 5, 5, 8)]
    with PlainAttention():
        functional.scaled_dot_product_attention(*given_parts).float().sum().backward()
    assert all(part.grad is not None for part in given_parts)
