"""What this distribution announces to Mezzanine."""

from mezzanine_core import Spec, hookimpl

_CONFIG = "mezzanine_recipes_distill.config:SymmetryDistillConfig"
_FACTORY = "mezzanine_recipes_distill.recipe:SymmetryDistill"


@hookimpl
def mezz_recipes() -> list[Spec]:
    """The recipe and its presets."""
    return [
        Spec(
            kind="recipe",
            name="symmetry_distill",
            summary="Measures a warrant gap and distils the orbit average, with a verdict",
            config=_CONFIG,
            factory=_FACTORY,
            tags=("distill", "verdict"),
        ),
        Spec(
            kind="recipe",
            name="hf_text_order_distill",
            summary="Does a text classifier depend on the order of sentences, and must it?",
            config=_CONFIG,
            factory=_FACTORY,
            defaults={
                "world": {"name": "hf_dataset"},
                "symmetry": {"name": "order"},
                "encoder": {"name": "hf_language"},
            },
            tags=("distill", "verdict", "preset", "text"),
        ),
        Spec(
            kind="recipe",
            name="hf_llm_hiddenstate_order_distill",
            summary="Distils a language model's order-averaged answers into a head on its states",
            config=_CONFIG,
            factory=_FACTORY,
            defaults={
                "world": {"name": "hf_qa"},
                "symmetry": {"name": "order"},
                # The hidden state after the last token is the one the model answers from.
                "encoder": {"name": "hf_causal_lm", "embed_layer": -1, "embed_mode": "last"},
                "belief": "choices",
                "students": ["head"],
            },
            tags=("distill", "verdict", "preset", "text"),
        ),
    ]
