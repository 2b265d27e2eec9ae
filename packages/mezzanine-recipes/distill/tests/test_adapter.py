import sys

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from transformers.pytorch_utils import Conv1D

from mezzanine_core.errors import ConfigError, DataError, MissingDependencyError
from mezzanine_core.progress import Progress
from mezzanine_core.worlds import ArrayColumn
from mezzanine_encoders_hf.config import HFLanguageConfig
from mezzanine_encoders_hf.language import HFLanguage
from mezzanine_recipes_distill.adapter import AdapterSettings, AdapterStudent, passes, require_peft
from mezzanine_recipes_distill.heads import Head

TEXTS = ["1 2 3 4 5 6 7", "3 1", "11", "2 3 4 5", "3 1", "1 3"]
LINEAR = {"query", "key", "value", "out", "up", "down"}


@pytest.fixture(scope="module")
def toys():
    """A small transformer, what it is taught, and how it is trained."""
    import adapter_toys  # in toy_site

    return adapter_toys


def grown(student, seed=3):
    """Gives adapters that change something, as after training."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in student.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.3)
    return student


def test_a_new_student_is_the_base_model(toys):
    base = toys.ToyTrainable()
    with torch.no_grad():
        expected = toys.make_head()(base.features(base.prepare(TEXTS)))
    student = toys.make_student()
    assert torch.equal(student(student.prepare(TEXTS)), expected)


def test_all_linear_layers_of_the_last_blocks_are_adapted_and_nothing_else_is_trained(toys):
    trainable = toys.ToyTrainable()
    student = toys.make_student(trainable, layers=2)
    trained = [name for name, p in trainable.module.named_parameters() if p.requires_grad]
    assert {name.split(".lora")[0] for name in trained} == {
        f"blocks.{block}.{layer}" for block in (1, 2) for layer in LINEAR
    }
    assert all(".lora_" in name for name in trained)
    assert len(student.parameters()) == 2 * 2 * len(LINEAR) + len(list(student.head.parameters()))


def test_blocks_below_the_adapted_ones_leave_no_trace_for_gradients(toys):
    trainable = toys.ToyTrainable()
    student = toys.make_student(trainable, layers=2)
    entering = []
    for block in trainable.module.blocks:
        block.register_forward_pre_hook(lambda _, args: entering.append(args[0].requires_grad))
    assert student(student.prepare(TEXTS)).requires_grad
    assert entering == [False, False, True]


def test_an_adapted_layer_is_its_weight_plus_the_scaled_product_of_the_factors(toys):
    trainable, merged = toys.ToyTrainable(), toys.ToyTrainable()
    student = grown(toys.make_student(trainable, layers=1, rank=4, alpha=6.0))
    with torch.no_grad():
        for name in LINEAR:
            layer = trainable.module.get_submodule(f"blocks.2.{name}")
            factors = layer.lora_B["student"].weight @ layer.lora_A["student"].weight
            merged.module.get_submodule(f"blocks.2.{name}").weight.add_(6.0 / 4 * factors)
        expected = student.head(merged.features(merged.prepare(TEXTS)))
    np.testing.assert_allclose(student.logits(TEXTS), expected, rtol=1e-4, atol=1e-4)


def test_recomputed_blocks_give_the_same_gradients_with_less_kept(toys):
    gradients, kept = [], []
    for recompute in (False, True):
        student = grown(toys.make_student(gradient_checkpointing=recompute))
        saved = []
        with torch.autograd.graph.saved_tensors_hooks(
            lambda tensor, saved=saved: saved.append(tensor.numel()) or tensor, lambda x: x
        ):
            loss = student(student.prepare(TEXTS)).square().sum()
        loss.backward()
        gradients.append([parameter.grad for parameter in student.parameters()])
        kept.append(sum(saved))
    for plain, recomputed in zip(*gradients, strict=True):
        assert torch.equal(plain, recomputed)
    assert kept[1] < kept[0] / 2


def test_a_recomputing_student_has_logits_too(toys):
    expected = toys.make_student().logits(TEXTS)
    assert np.array_equal(toys.make_student(gradient_checkpointing=True).logits(TEXTS), expected)


def test_initial_weights_come_from_the_generator_alone(toys):
    trainables = [toys.ToyTrainable() for _ in range(3)]
    before = torch.get_rng_state()
    states = [
        toys.make_student(trainable, seed=seed).state()
        for trainable, seed in zip(trainables, (0, 0, 1), strict=True)
    ]
    assert torch.equal(torch.get_rng_state(), before)
    first = [torch.cat([value.flatten() for value in state.values()]) for state in states]
    assert torch.equal(first[0], first[1])
    assert not torch.equal(first[0], first[2])


def test_the_base_head_is_left_alone(toys):
    head = toys.make_head()
    student = AdapterStudent(
        toys.ToyTrainable(), head, AdapterSettings(), torch.Generator(), toys.CPU
    )
    grown(student)
    for ours, original in zip(head.parameters(), toys.make_head().parameters(), strict=True):
        assert torch.equal(ours, original)


def test_logits_of_an_item_do_not_depend_on_the_others(toys):
    student = grown(toys.make_student())
    together = student.logits(TEXTS)
    assert together.dtype == np.float64
    assert together.shape == (len(TEXTS), toys.CLASSES)
    for text, row in zip(TEXTS, together, strict=True):
        np.testing.assert_allclose(student.logits([text])[0], row, atol=1e-5)


def test_equal_items_are_computed_once(toys):
    trainable = toys.ToyTrainable()
    student = toys.make_student(trainable)
    logits = student.logits(TEXTS)
    assert sorted(len(item) for items in trainable.passes for item in items) == [1, 2, 2, 4, 7]
    assert np.array_equal(logits[1], logits[4])
    assert not np.array_equal(logits[1], logits[5])


def test_logits_of_a_column_are_those_of_its_items(toys):
    student = grown(toys.make_student())
    with Progress(quiet=True).task("logits", len(TEXTS)) as task:
        column = student.column_logits(ArrayColumn(TEXTS, "text"), None, task)
    assert np.array_equal(column, student.logits(TEXTS))
    assert task.done == len(TEXTS)


def test_logits_leave_no_gradients(toys):
    student = toys.make_student()
    student.logits(TEXTS)
    student(student.prepare(TEXTS)).sum().backward()
    assert all(parameter.grad is not None for parameter in student.parameters())


def test_another_student_takes_over_a_state_bit_for_bit(toys):
    student = grown(toys.make_student())
    student.head.centre.add_(0.5)
    other = toys.make_student(seed=8)
    other.load(student.state())
    assert np.array_equal(other.logits(TEXTS), student.logits(TEXTS))


def test_a_state_is_a_copy(toys):
    student = toys.make_student()
    state = student.state()
    expected = {name: value.clone() for name, value in state.items()}
    grown(student)
    assert all(torch.equal(state[name], expected[name]) for name in expected)


@pytest.mark.parametrize("other", [{"rank": 5}, {"layers": 3}, {"layers": 1}])
def test_a_state_of_another_shape_is_refused(toys, other):
    with pytest.raises(DataError, match="weights of another adapter"):
        toys.make_student().load(toys.make_student(**other).state())


def test_layers_that_hold_their_weights_the_other_way_round_are_adapted(toys):
    trainable = toys.ToyTrainable()
    for block in trainable.module.blocks:
        for name in LINEAR:
            linear = block.get_submodule(name)
            turned = Conv1D(linear.out_features, linear.in_features)
            with torch.no_grad():
                turned.weight.copy_(linear.weight.T)
                turned.bias.copy_(linear.bias)
            setattr(block, name, turned)
    turned, plain = grown(toys.make_student(trainable)), grown(toys.make_student())
    np.testing.assert_allclose(turned.logits(TEXTS), plain.logits(TEXTS), atol=1e-5)


def test_adapters_are_float32_where_the_encoder_computes_in_bfloat16(toys):
    trainable = toys.ToyTrainable()
    trainable.module.bfloat16()
    student = toys.make_student(trainable)
    assert {parameter.dtype for parameter in student.parameters()} == {torch.float32}
    base = toys.ToyTrainable()
    base.module.bfloat16()
    with torch.no_grad():
        expected = toys.make_head()(base.features(base.prepare(TEXTS)))
    logits = student(student.prepare(TEXTS))
    assert torch.equal(logits, expected)
    logits.sum().backward()
    assert any(bool(parameter.grad.abs().sum() > 0) for parameter in student.parameters()[:-2])


@pytest.mark.parametrize("layers", [0, 4])
def test_more_blocks_than_there_are_is_refused(toys, layers):
    with pytest.raises(ConfigError, match=f"last {layers} blocks, but the encoder has 3"):
        toys.make_student(layers=layers)


def test_blocks_without_linear_layers_are_refused(toys):
    trainable = toys.ToyTrainable()
    trainable.module.blocks[2] = nn.Identity()
    with pytest.raises(ConfigError, match=r"blocks\.2 have no linear layers"):
        toys.make_student(trainable, layers=1)


def test_without_peft_the_command_that_brings_it_is_named(toys, monkeypatch):
    require_peft()
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(MissingDependencyError):
        toys.make_student()
    with pytest.raises(MissingDependencyError) as caught:
        require_peft()
    assert caught.value.exit_code == 3
    assert 'pip install "mezzanine-recipes-distill[adapter]"' in caught.value.hint


@given(st.lists(st.integers(1, 300), max_size=40), st.integers(1, 1000))
def test_passes_hold_each_item_once_within_the_budget(sizes, budget):
    sizes = np.array(sizes, np.int64)
    parts = list(passes(sizes, budget))
    assert sorted(np.concatenate([*parts, []]).astype(int).tolist()) == list(range(len(sizes)))
    for rows in parts:
        assert len(rows) == 1 or len(rows) * sizes[rows].max() <= budget


@pytest.mark.slow
def test_a_new_student_of_minilm_gives_what_the_encoder_and_the_head_give(minilm):
    texts = ["A fine film.", "Not one of his better ones, and far too long for what it has to say."]
    encoder = HFLanguage(HFLanguageConfig(name="hf_language", model_name=str(minilm)))
    latents = torch.from_numpy(encoder.encode(texts))
    trainable = encoder.trainable()
    head = Head(384, 2)
    with torch.no_grad():
        head.weights[-1].normal_(generator=torch.Generator().manual_seed(0))
        expected = head(latents).double().numpy()
    generator = torch.Generator().manual_seed(1)
    student = AdapterStudent(trainable, head, AdapterSettings(), generator, torch.device("cpu"))
    np.testing.assert_allclose(student.logits(texts), expected, atol=1e-4)
    entering = []
    for block in trainable.module.encoder.layer:
        block.register_forward_pre_hook(lambda _, args: entering.append(args[0].requires_grad))
    assert student(student.prepare(texts)).requires_grad
    assert entering == [False, False, False, False, True, True]
    adapted = {name.split(".")[3] for name in student.state() if name.startswith("encoder.")}
    assert adapted == {"3", "4", "5"}
