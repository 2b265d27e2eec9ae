"""What this distribution announces to Mezzanine."""

from mezzanine_core import Spec, hookimpl

_VISION = ("mezzanine_encoders_hf.config:HFVisionConfig", "mezzanine_encoders_hf.vision:HFVision")


@hookimpl
def mezz_encoders() -> list[Spec]:
    """Encoders of images and of texts."""
    return [
        Spec(
            kind="encoder",
            name="hf_vision",
            summary="Any vision backbone of transformers: I-JEPA, ViT, DINOv2, DINOv3, SigLIP, MAE",
            config=_VISION[0],
            factory=_VISION[1],
            tags=("image", "pretrained"),
        ),
        Spec(
            kind="encoder",
            name="hf_dinov2",
            summary="DINOv2: the normalised class token of its last layer",
            config=_VISION[0],
            factory=_VISION[1],
            defaults={
                "model_name": "facebook/dinov2-base",
                "embed_mode": "cls",
                "embed_layer": "final",
            },
            tags=("image", "pretrained", "preset"),
        ),
        Spec(
            kind="encoder",
            name="hf_clip",
            summary="The vision tower of CLIP: projected or hidden features",
            config="mezzanine_encoders_hf.config:HFClipConfig",
            factory="mezzanine_encoders_hf.clip:HFClip",
            tags=("image", "pretrained"),
        ),
        Spec(
            kind="encoder",
            name="hf_language",
            summary="Language models as encoders of texts: BERT, DistilBERT, MiniLM, decoders too",
            config="mezzanine_encoders_hf.config:HFLanguageConfig",
            factory="mezzanine_encoders_hf.language:HFLanguage",
            tags=("text", "pretrained"),
        ),
        Spec(
            kind="encoder",
            name="hf_causal_lm",
            summary="Hidden states of a causal language model, and scores of choices",
            config="mezzanine_encoders_hf.config:HFCausalLMConfig",
            factory="mezzanine_encoders_hf.causal:HFCausalLM",
            tags=("text", "pretrained"),
        ),
    ]
