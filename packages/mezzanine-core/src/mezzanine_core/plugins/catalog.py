"""Which first-party distribution brings which component.

Used only to answer a name that is not installed with the ``pip install`` that brings it: what *is*
installed is known from the plugins alone.
"""

from __future__ import annotations

from dataclasses import dataclass

from mezzanine_core.specs import Kind


@dataclass(frozen=True, slots=True)
class KnownComponent:
    """A component of a first-party distribution.

    Attributes:
        kind: What it is.
        name: Its short name.
        distribution: The distribution that brings it.
        summary: One line for listings.
    """

    kind: Kind
    name: str
    distribution: str
    summary: str


_HF_ENCODERS = "mezzanine-encoders-hf"
_HF_WORLDS = "mezzanine-worlds-hf"
_DYNAMICS = "mezzanine-recipes-dynamics"
_DISTILL = "mezzanine-recipes-distill"

KNOWN: tuple[KnownComponent, ...] = (
    KnownComponent("world", "iphyre", "mezzanine-worlds-iphyre", "I-PHYRE physics games"),
    KnownComponent("world", "lerobot", "mezzanine-worlds-lerobot", "LeRobot datasets"),
    KnownComponent("world", "gymnasium", "mezzanine-worlds-gymnasium", "Gymnasium environments"),
    KnownComponent("world", "hf_dataset", _HF_WORLDS, "Text or image classification data sets"),
    KnownComponent("world", "hf_qa", _HF_WORLDS, "Question answering over passages"),
    KnownComponent("encoder", "pixels", "mezzanine-encoders-pixels", "Downsampled pixels"),
    KnownComponent("encoder", "hf_vision", _HF_ENCODERS, "Vision backbones of transformers"),
    KnownComponent("encoder", "hf_dinov2", _HF_ENCODERS, "DINOv2"),
    KnownComponent("encoder", "hf_clip", _HF_ENCODERS, "The vision tower of CLIP"),
    KnownComponent("encoder", "hf_language", _HF_ENCODERS, "Language encoders of transformers"),
    KnownComponent("encoder", "hf_causal_lm", _HF_ENCODERS, "Hidden states of a causal LM"),
    KnownComponent("recipe", "latent_dynamics", _DYNAMICS, "Action-conditioned latent dynamics"),
    KnownComponent(
        "recipe", "iphyre_latent_dynamics", _DYNAMICS, "Latent dynamics of I-PHYRE games"
    ),
    KnownComponent(
        "recipe", "lerobot_latent_dynamics", _DYNAMICS, "Latent dynamics of LeRobot datasets"
    ),
    KnownComponent(
        "recipe",
        "gymnasium_latent_dynamics",
        _DYNAMICS,
        "Latent dynamics of Gymnasium environments",
    ),
    KnownComponent(
        "recipe", "symmetry_distill", _DISTILL, "Distil the expectation over a symmetry"
    ),
    KnownComponent(
        "recipe", "hf_text_order_distill", _DISTILL, "Distil over the order of sentences"
    ),
    KnownComponent(
        "recipe",
        "hf_llm_hiddenstate_order_distill",
        _DISTILL,
        "Distil a causal LM's beliefs over the order of sentences",
    ),
    KnownComponent(
        "tracker", "tensorboard", "mezzanine-trackers-tensorboard", "TensorBoard event files"
    ),
    KnownComponent("tracker", "wandb", "mezzanine-trackers-wandb", "Weights & Biases"),
)
"""Every component of the first-party distributions besides core."""


def known_component(kind: Kind, name: str) -> KnownComponent | None:
    """The known first-party component of that kind and short name, if there is one."""
    return next((known for known in KNOWN if (known.kind, known.name) == (kind, name)), None)
