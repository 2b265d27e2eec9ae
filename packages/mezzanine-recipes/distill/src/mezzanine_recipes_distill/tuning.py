"""What ``--autotune`` searches: how the student that the verdict is about is trained."""

from __future__ import annotations

from collections.abc import Mapping

from mezzanine_core.recipes import Tunable
from mezzanine_recipes_distill.config import StudentName, SymmetryDistillConfig

_ON_LATENTS = ("consistency=0.03:30:log", "label_weight=0:0.5", "k_train=2:16:log")
_SPACES: Mapping[StudentName, tuple[str, ...]] = {
    "head": _ON_LATENTS,
    "projection": _ON_LATENTS,
    "latent": ("latent_loss=cosine|mse", "k_train=2:16:log"),
    "adapter": ("adapter_consistency=0.5:20:log", "adapter_lr=3e-4:1e-2:log"),
}


def tunable(config: SymmetryDistillConfig) -> Tunable:
    """What to search for the student of the verdict.

    Where the base model has no gap there is nothing to take away, and where its gap is above 0.5 it
    answers at random. The gap is measured on the test items, so that settings are chosen on them:
    the confirmation, on another draw of the data where the world has more, is what counts. Nothing
    keeps the accuracy up but the verdict of that run.

    Args:
        config: The recipe's settings.
    """
    student = config.students[0]
    pilot = [f"seeds={config.seeds[0]}"]
    samples = getattr(config.world, "n_train", None)
    if isinstance(samples, int):
        pilot.append(f"world.n_train={max(1, samples // 2)}")
    return Tunable(
        space=_SPACES[student],
        baseline="base.gap",
        low=0.005,
        high=0.5,
        effect=f"{student}_vs_control.gap_reduction",
        pilot=tuple(pilot),
    )
