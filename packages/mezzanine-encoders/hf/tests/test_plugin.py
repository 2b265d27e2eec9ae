"""What the plugin announces, through the registry that a user's command reads."""

from __future__ import annotations

import subprocess
import sys

import pytest

from mezzanine_core.plugins import load_registry

NAMES = ("hf_vision", "hf_dinov2", "hf_clip", "hf_language", "hf_causal_lm")


@pytest.mark.parametrize("name", NAMES)
def test_the_registry_finds_each_encoder_and_what_makes_it(name: str) -> None:
    component = load_registry().get("encoder", name)
    assert component.distribution == "mezzanine-encoders-hf"
    factory, config = component.spec.load_factory(), component.spec.load_config()
    encoder = factory(config(name=name, **component.spec.defaults))
    assert encoder.config.name == name
    assert encoder.accepts == {"image" if name in NAMES[:3] else "text"}


def test_dinov2_is_hf_vision_with_other_defaults() -> None:
    registry = load_registry()
    vision = registry.get("encoder", "hf_vision").spec
    dinov2 = registry.get("encoder", "hf_dinov2").spec
    assert (dinov2.config, dinov2.factory) == (vision.config, vision.factory)
    config = dinov2.load_config()(**dinov2.defaults)
    assert (config.model_name, config.embed_mode, config.embed_layer) == (
        "facebook/dinov2-base",
        "cls",
        "final",
    )


def test_listing_and_help_import_neither_torch_nor_transformers() -> None:
    code = (
        "import sys; from mezzanine_core.plugins import load_registry; registry = load_registry();"
        f"[registry.get('encoder', name).spec.load_config() for name in {NAMES}];"
        "sys.exit(', '.join({'torch', 'transformers', 'huggingface_hub'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.strip()) == (0, "")
