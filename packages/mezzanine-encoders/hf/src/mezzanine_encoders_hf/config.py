"""Settings of the encoders. Imports neither torch nor transformers."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, model_validator

from mezzanine_core.config import UNFINGERPRINTED, Alias, EncoderConfig

Precision = Literal["auto", "float32", "bfloat16", "float16"]
"""What a model computes in; ``auto`` is float32, and says what bfloat16 would gain."""

Layer = int | Literal["final"]
"""Which hidden state: an index into transformers' ``hidden_states``, or the model's output."""

VisionPooling = Literal["cls", "mean", "mean_std"]
"""How the tokens of an image become one vector."""

TextPooling = Literal["cls", "mean", "last"]
"""How the tokens of a text become one vector."""

CausalPooling = Literal["last", "mean", "mean_std"]
"""How the tokens that a causal LM read become one vector."""

_MODEL = "A hub id, a hub id with revision (`org/name@revision`), or a local folder"

_LAYER = (
    "Which hidden state: an index into transformers' hidden_states (0: the embeddings, -1: the "
    "last), or `final`: the model's output, transformers' last_hidden_state"
)


class HFConfig(EncoderConfig):
    """Settings that all encoders of this distribution have."""

    model_config = ConfigDict(protected_namespaces=())

    model_name: str = Field(min_length=1, description=_MODEL)
    revision: str | None = Field(
        None, min_length=1, description="Branch, tag or commit on the hub; the default branch"
    )
    dtype: Precision = Field(
        "auto", description="What the model computes in; `auto` is float32, latents always are"
    )
    compile: Annotated[bool, UNFINGERPRINTED] = Field(
        False, description="Compile the model's blocks with torch.compile (needs a C++ compiler)"
    )


class HFImageConfig(HFConfig):
    """Settings that the encoders of images share."""

    batch_size: Annotated[int | None, UNFINGERPRINTED] = Field(
        None, ge=1, description="Images in one forward pass; by default what suits the device"
    )


class HFVisionConfig(HFImageConfig):
    """Settings of `hf_vision` and `hf_dinov2`."""

    model_name: str = Field("facebook/ijepa_vith14_1k", min_length=1, description=_MODEL)
    embed_mode: VisionPooling = Field(
        "mean_std",
        description="How tokens become one vector: the class token, the mean of all patch tokens, "
        "or their mean and standard deviation side by side",
    )
    embed_layer: Layer = Field(-4, description=_LAYER)


class HFClipConfig(HFImageConfig):
    """Settings of `hf_clip`."""

    model_name: str = Field("openai/clip-vit-base-patch32", min_length=1, description=_MODEL)
    projection: bool = Field(
        True, description="Give the image embedding that CLIP compares with texts"
    )
    embed_mode: VisionPooling | None = Field(
        None, description="Without projection: how tokens become one vector (`mean` by default)"
    )
    embed_layer: Layer | None = Field(
        None, description=f"Without projection (-2 by default). {_LAYER}"
    )

    @model_validator(mode="after")
    def _projects_or_pools(self) -> HFClipConfig:
        if self.projection and (self.embed_mode is not None or self.embed_layer is not None):
            raise ValueError(
                "embed_mode and embed_layer choose hidden features, projection=true gives the "
                "projected ones; set projection=false (--no-projection), or leave both out"
            )
        return self


class HFTextConfig(HFConfig):
    """Settings that the encoders of texts share."""

    embed_layer: Layer = Field(-1, description=_LAYER)
    max_length: int | None = Field(
        None,
        ge=1,
        description="Most tokens of a text, special ones included; the rest is cut "
        "off, counted and reported. By default what the model can take",
    )
    batch_tokens: Annotated[int | None, UNFINGERPRINTED] = Field(
        None,
        ge=1,
        description="Tokens in one forward pass, padding included; by default what suits the "
        "device",
    )


class HFLanguageConfig(HFTextConfig):
    """Settings of `hf_language`."""

    model_name: str = Field(
        "sentence-transformers/all-MiniLM-L6-v2", min_length=1, description=_MODEL
    )
    pool: TextPooling = Field(
        "mean", description="The class token, the mean of all tokens, or the last token"
    )
    normalize: bool = Field(False, description="Divide each latent by its length")


class HFCausalLMConfig(HFTextConfig):
    """Settings of `hf_causal_lm`."""

    model_name: Annotated[str, Alias("lm_name")] = Field("gpt2", min_length=1, description=_MODEL)
    embed_mode: CausalPooling = Field(
        "last",
        description="The last token, the mean of all tokens, or their mean and standard deviation "
        "side by side",
    )
    padding_side: Annotated[Literal["left", "right"], UNFINGERPRINTED] = Field(
        "right", description="Where shorter texts of a batch are padded; changes nothing else"
    )


class HFChoicesConfig(HFCausalLMConfig):
    """Settings of `hf_causal_lm` where it scores choices; hidden states play no part in that."""

    choices: tuple[str, ...] = Field(min_length=1, description="What may come after a prompt")
