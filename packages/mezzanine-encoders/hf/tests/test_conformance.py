"""The encoders obey the laws of encoders, on tiny checkpoints."""

import pytest

from mezzanine_core.testing import EncoderTests, Subject

# A revision is of the hub, compiling needs a C++ compiler.
UNUSED = ["revision", "compile"]


class TestVision(EncoderTests):
    @pytest.fixture
    def subject(self, checkpoint):
        return Subject(
            "hf_vision",
            settings={"model_name": str(checkpoint("ijepa"))},
            variations={
                "model_name": str(checkpoint("vit")),
                "dtype": "bfloat16",
                "embed_mode": "mean",
            },
            unused=UNUSED,
        )


class TestDinov2(EncoderTests):
    @pytest.fixture
    def subject(self, checkpoint):
        return Subject(
            "hf_dinov2",
            settings={"model_name": str(checkpoint("dinov2"))},
            variations={
                "model_name": str(checkpoint("vit")),
                "dtype": "bfloat16",
                "embed_layer": -2,
            },
            unused=UNUSED,
        )


class TestClip(EncoderTests):
    @pytest.fixture
    def subject(self, checkpoint):
        # Layer and pooling are of hidden features, which go without projection.
        return Subject(
            "hf_clip",
            settings={"model_name": str(checkpoint("clip"))},
            variations={"dtype": "bfloat16"},
            # No other tiny model has a projection.
            unused=[*UNUSED, "model_name", "embed_mode", "embed_layer"],
        )


class TestLanguage(EncoderTests):
    @pytest.fixture
    def subject(self, checkpoint):
        return Subject(
            "hf_language",
            settings={"model_name": str(checkpoint("bert"))},
            variations={
                "model_name": str(checkpoint("roberta")),
                "dtype": "bfloat16",
                "max_length": 9,
            },
            unused=UNUSED,
        )


class TestCausalLM(EncoderTests):
    @pytest.fixture
    def subject(self, checkpoint):
        return Subject(
            "hf_causal_lm",
            settings={"model_name": str(checkpoint("gpt2"))},
            variations={"model_name": str(checkpoint("llama")), "dtype": "bfloat16"},
            unused=UNUSED,
        )
