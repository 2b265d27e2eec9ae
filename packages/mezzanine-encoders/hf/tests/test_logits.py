import pytest
import torch
import transformers
from transformers import AutoModelForCausalLM, LlamaForCausalLM

from mezzanine_encoders_hf.errors import UnsuitableModelError
from mezzanine_encoders_hf.logits import LogitsAt, differ

SIZES = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "vocab_size": 50,
    "bos_token_id": 0,
    "eos_token_id": 0,
    "pad_token_id": 0,
}
FAMILIES = {
    "GPT2": {"n_embd": 32, "n_layer": 2, "n_head": 2, "vocab_size": 50, "eos_token_id": 0},
    "Llama": SIZES,
    "Gemma2": {  # caps its logits
        **SIZES,
        "num_key_value_heads": 1,
        "head_dim": 16,
        "final_logit_softcapping": 0.5,
    },
    "Mixtral": {**SIZES, "num_key_value_heads": 1, "num_local_experts": 4},
    "Cohere": {**SIZES, "logit_scale": 0.1},
    "Granite": {**SIZES, "logits_scaling": 3.0},
}


class Warmer(LlamaForCausalLM):
    """Divides the logits by a temperature that grows along the text."""

    def forward(self, *args, **kwargs):
        output = super().forward(*args, **kwargs)
        temperature = torch.arange(1, output.logits.shape[1] + 1).unsqueeze(-1)
        return transformers.modeling_outputs.CausalLMOutput(logits=output.logits / temperature)


def build(family, cls=None):
    torch.manual_seed(0)
    settings = {"bos_token_id": 0, **FAMILIES[family]}
    config = getattr(transformers, f"{family}Config")(**settings)
    model = AutoModelForCausalLM.from_config(config) if cls is None else cls(config)
    for parameter in model.parameters():
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=0.2)
    return model.eval()


def batch():
    ids = torch.randint(0, 50, (3, 7), generator=torch.Generator().manual_seed(1))
    return {"input_ids": ids, "attention_mask": torch.ones_like(ids)}


IDS = torch.tensor([[0, 1, 2, 3], [0, 1, 2, 4]])
PROBE = {"input_ids": IDS, "attention_mask": torch.ones_like(IDS)}
ROWS, COLUMNS = torch.tensor([2, 0, 0, 1]), torch.tensor([6, 0, 3, 5])


@pytest.mark.parametrize("family", FAMILIES)
def test_logits_are_the_models_own(family):
    model = build(family)
    at = LogitsAt(model, PROBE, family)
    with torch.inference_mode():
        expected = model(**batch()).logits[ROWS, COLUMNS]
    assert at.narrow
    assert at.vocabulary == 50
    torch.testing.assert_close(at(ROWS, COLUMNS, batch()), expected, rtol=1e-5, atol=1e-6)


def test_only_the_chosen_tokens_reach_the_output_layer():
    model = build("Llama")
    at = LogitsAt(model, PROBE, "Llama")
    seen = []
    model.lm_head.register_forward_hook(lambda _module, args, _output: seen.append(args[0].shape))
    at(ROWS, COLUMNS, batch())
    assert seen == [(1, 4, 32)]


def test_a_model_is_left_as_it_was():
    model = build("Llama")
    with torch.inference_mode():
        before = model(**batch()).logits
        LogitsAt(model, PROBE, "Llama")(ROWS, COLUMNS, batch())
        assert torch.equal(model(**batch()).logits, before)


def test_a_model_that_treats_logits_by_their_place_is_run_whole():
    model = build("Llama", Warmer)
    at = LogitsAt(model, PROBE, "Warmer")
    with torch.inference_mode():
        expected = model(**batch()).logits[ROWS, COLUMNS]
    assert not at.narrow
    assert torch.equal(at(ROWS, COLUMNS, batch()), expected)


def test_a_model_that_reads_to_the_right_is_refused():
    model = transformers.XLNetLMHeadModel(
        transformers.XLNetConfig(d_model=32, n_layer=2, n_head=2, d_inner=64, vocab_size=50)
    )
    with pytest.raises(UnsuitableModelError, match="the model is no causal language model"):
        LogitsAt(model.eval(), PROBE, "the model")


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_bert_is_refused_in_every_precision(dtype):
    torch.manual_seed(0)
    sizes = {name: SIZES[name] for name in ("hidden_size", "num_hidden_layers", "vocab_size")}
    config = transformers.BertConfig(**sizes, num_attention_heads=2, intermediate_size=48)
    model = transformers.BertForMaskedLM(config).eval().to(dtype)
    with pytest.raises(UnsuitableModelError, match="no causal language model"):
        LogitsAt(model, PROBE, "BERT")


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("family", FAMILIES)
def test_a_causal_model_is_taken_in_narrow_precision(family, dtype):
    assert LogitsAt(build(family).to(dtype), PROBE, family).narrow


def test_results_that_are_no_numbers_make_no_difference():
    one = torch.tensor([1.0, 2.0])
    assert not differ(one, torch.tensor([1.0, float("nan")]))
    assert not differ(one, one + 1e-5)
    assert differ(one, one + 1e-2)
    assert differ(one, one[:1])
