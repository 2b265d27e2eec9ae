"""Settings that are refused, and those that leave latents alone."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from mezzanine_core.config import resolve
from mezzanine_core.plugins import load_registry
from mezzanine_encoders_hf.config import (
    HFCausalLMConfig,
    HFClipConfig,
    HFConfig,
    HFLanguageConfig,
    HFVisionConfig,
)

ALL = (HFVisionConfig, HFClipConfig, HFLanguageConfig, HFCausalLMConfig)


def test_the_default_vision_model_is_ijepa() -> None:
    config = HFVisionConfig()
    assert (config.model_name, config.embed_mode, config.embed_layer) == (
        "facebook/ijepa_vith14_1k",
        "mean_std",
        -4,
    )


@pytest.mark.parametrize("model", ALL)
def test_speed_settings_are_no_part_of_the_fingerprint(model: type[HFConfig]) -> None:
    fast = {"compile": True}
    fast |= {name: 7 for name in ("batch_size", "batch_tokens") if name in model.model_fields}
    assert model(**fast).fingerprint_payload() == model().fingerprint_payload()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("model", "settings"),
    [
        (HFVisionConfig, {"embed_mode": "max"}),
        (HFVisionConfig, {"embed_layer": "last"}),
        (HFVisionConfig, {"batch_size": 0}),
        (HFVisionConfig, {"dtype": "int8"}),
        (HFVisionConfig, {"model_name": ""}),
        (HFLanguageConfig, {"pool": "max"}),
        (HFLanguageConfig, {"max_length": 0}),
        (HFCausalLMConfig, {"embed_mode": "cls"}),
        (HFCausalLMConfig, {"padding_side": "top"}),
    ],
)
def test_a_value_out_of_range_is_refused(
    model: type[HFConfig], settings: dict[str, object]
) -> None:
    with pytest.raises(ValidationError, match=next(iter(settings))):
        model(**settings)  # type: ignore[arg-type]


@pytest.mark.parametrize("settings", [{"embed_mode": "cls"}, {"embed_layer": -1}])
def test_clip_projects_or_pools_not_both(settings: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="projection=false"):
        HFClipConfig(**settings)  # type: ignore[arg-type]
    assert HFClipConfig(projection=False, **settings).projection is False  # type: ignore[arg-type]


@pytest.mark.parametrize("key", ["lm_name", "lm-name", "encoder.lm_name"])
def test_lm_name_is_the_model_of_hf_causal_lm(key: str) -> None:
    def resolved(**flags: str) -> HFCausalLMConfig:
        flags = {"encoder": "hf_causal_lm", **flags}
        found = resolve(load_registry(), "iphyre_latent_dynamics", flags=flags).config
        encoder: HFCausalLMConfig = found.encoder  # type: ignore[attr-defined]
        return encoder

    one = resolved(**{key: "org/lm@v1"})
    assert one.model_name == "org/lm@v1"
    assert one == resolved(model_name="org/lm@v1")
