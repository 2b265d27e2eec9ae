import copy

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from peft import LoraConfig, inject_adapter_in_model
from torch import nn

from mezzanine_encoders_hf import products
from mezzanine_encoders_hf.products import FrozenLinear, blas_is_slow, quicken

packs = pytest.mark.skipif(
    not torch.ops.mkldnn._is_mkldnn_bf16_supported(),
    reason="oneDNN does not take bfloat16 on this CPU",
)

SHAPES = st.lists(st.integers(1, 9), min_size=0, max_size=2)


def pair(dim, out, *, bias=True, seed=0):
    """A linear layer, and the same one quickened; both frozen."""
    torch.manual_seed(seed)
    plain = nn.Linear(dim, out, bias=bias).requires_grad_(requires_grad=False)
    quick = nn.Sequential(copy.deepcopy(plain))
    quicken(quick)
    return plain, quick[0]


@settings(deadline=None, max_examples=50)
@given(SHAPES, st.integers(1, 40), st.integers(1, 40), st.booleans())
def test_products_are_those_of_torch(leading, dim, out, bias):
    plain, quick = pair(dim, out, bias=bias)
    x = torch.randn(*leading, dim)
    assert isinstance(quick, FrozenLinear)
    torch.testing.assert_close(quick(x), plain(x), rtol=1e-5, atol=1e-5)
    with torch.inference_mode():
        torch.testing.assert_close(quick(x), plain(x), rtol=1e-5, atol=1e-5)


@settings(deadline=None, max_examples=50)
@given(SHAPES, st.integers(1, 40), st.integers(1, 40), st.booleans())
def test_gradients_of_the_input_are_those_of_torch(leading, dim, out, bias):
    gradients = []
    for layer in pair(dim, out, bias=bias):
        torch.manual_seed(1)
        x = torch.randn(*leading, dim, requires_grad=True)
        (layer(x) * torch.randn(*leading, out)).sum().backward()
        gradients.append(x.grad)
    torch.testing.assert_close(gradients[1], gradients[0], rtol=1e-5, atol=1e-5)


def test_parameters_that_are_trained_get_gradients():
    plain, quick = pair(6, 4)
    x = torch.randn(3, 6)
    for layer in (plain, quick):
        layer.requires_grad_(requires_grad=True)
        layer(x).square().sum().backward()
    torch.testing.assert_close(quick.weight.grad, plain.weight.grad)
    torch.testing.assert_close(quick.bias.grad, plain.bias.grad)


def test_other_dtypes_compute_as_before():
    plain, quick = pair(6, 4)
    x = torch.randn(3, 6, dtype=torch.float64)
    assert torch.equal(quick.double()(x), plain.double()(x))


def test_names_and_parameters_stay():
    model = nn.ModuleDict({"a": nn.Linear(3, 4), "b": nn.Sequential(nn.GELU(), nn.Linear(4, 2))})
    before = {name: value.data_ptr() for name, value in model.named_parameters()}
    quicken(model)
    assert {name: value.data_ptr() for name, value in model.named_parameters()} == before


def test_kinds_of_linear_layers_that_compute_otherwise_are_left_alone():
    class Doubled(nn.Linear):
        def forward(self, x):
            return 2 * super().forward(x)

    model = nn.Sequential(Doubled(3, 3))
    quicken(model)
    assert type(model[0]) is Doubled


@pytest.mark.filterwarnings("ignore:.*:UserWarning")  # peft on its own way of naming adapters
def test_adapters_learn_the_same_on_quickened_layers():
    learnt = []
    for quick in (False, True):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 2))
        if quick:
            quicken(model)
        inject_adapter_in_model(LoraConfig(r=2, target_modules=["0", "2"]), model)
        optimiser = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1)
        x = torch.randn(16, 8)
        for _ in range(5):
            optimiser.zero_grad()
            model(x).square().mean().backward()
            optimiser.step()
        learnt.append(model(x).detach())
    torch.testing.assert_close(learnt[1], learnt[0], rtol=1e-4, atol=1e-5)


def test_the_answer_is_that_of_the_machine():
    # A process-wide constant: never a measurement, which could differ between two runs.
    assert blas_is_slow() is blas_is_slow()
    with open("/proc/cpuinfo") as file:  # noqa: PTH123
        intel = "GenuineIntel" in file.read()
    assert not (intel and blas_is_slow())


def test_padding_to_a_batch_changes_a_row_by_rounding_only():
    _, quick = pair(48, 32)
    rows = torch.randn(64, 48)
    alone = np.concatenate([quick(row[None]).numpy() for row in rows])
    np.testing.assert_allclose(quick(rows).numpy(), alone, atol=1e-5)


def packed_pair(dim, out, *, bias=True):
    """A frozen linear layer in bfloat16, and the same one with its weight packed."""
    plain, _ = pair(dim, out, bias=bias)
    plain = plain.to(torch.bfloat16)
    quick = nn.Sequential(copy.deepcopy(plain))
    quicken(quick)
    return plain, quick[0]


@packs
@settings(deadline=None, max_examples=50)
@given(SHAPES, st.integers(1, 70), st.integers(1, 70), st.booleans())
def test_products_with_packed_weights_are_those_of_torch(leading, dim, out, bias):
    plain, quick = packed_pair(dim, out, bias=bias)
    x = torch.randn(*leading, dim).to(torch.bfloat16)
    with torch.inference_mode():
        torch.testing.assert_close(quick(x), plain(x), rtol=0.01, atol=0.01)


@packs
def test_packed_weights_are_the_ones_that_are_used():
    _, quick = packed_pair(8, 4)
    x = torch.randn(3, 8).to(torch.bfloat16)
    before = quick(x)
    quick.weight.data.zero_()
    with torch.inference_mode():
        torch.testing.assert_close(quick(x), before, rtol=0.01, atol=0.01)


@packs
def test_a_copy_follows_its_own_weights():
    _, quick = packed_pair(8, 4)
    other = copy.deepcopy(quick)
    other.weight.data.zero_()
    with torch.inference_mode():
        assert torch.equal(other(torch.randn(3, 8).to(torch.bfloat16)), other.bias.expand(3, 4))


@packs
def test_gradients_pass_through_packed_layers():
    plain, quick = packed_pair(8, 4)
    gradients = []
    for layer in (plain, quick):
        x = torch.ones(3, 8, dtype=torch.bfloat16, requires_grad=True)
        layer(x).float().square().sum().backward()
        gradients.append(x.grad)
    torch.testing.assert_close(gradients[1], gradients[0])


@packs
def test_weights_of_large_models_are_not_kept_twice(monkeypatch):
    for room, expected in ((2 * 8 * 8 * 2, True), (2 * 8 * 8 * 2 - 1, False)):
        monkeypatch.setattr(products, "_PACKED_BYTES", room)
        model = nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 8)).to(torch.bfloat16)
        quicken(model)
        assert [layer._packed is not None for layer in model] == [expected] * 2


def test_weights_in_float32_are_not_packed():
    model = nn.Sequential(nn.Linear(8, 8))
    quicken(model)
    assert model[0]._packed is None
