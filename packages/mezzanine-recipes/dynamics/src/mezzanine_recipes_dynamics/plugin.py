"""What this distribution announces to Mezzanine."""

from mezzanine_core import Spec, hookimpl

_CONFIG = "mezzanine_recipes_dynamics.config:LatentDynamicsConfig"
_FACTORY = "mezzanine_recipes_dynamics.recipe:LatentDynamics"


@hookimpl
def mezz_recipes() -> list[Spec]:
    """The recipe and its presets."""
    return [
        Spec(
            kind="recipe",
            name="latent_dynamics",
            summary="Action-conditioned latent dynamics of any transitions world, with a verdict",
            config=_CONFIG,
            factory=_FACTORY,
            tags=("dynamics", "verdict"),
        ),
        Spec(
            kind="recipe",
            name="iphyre_latent_dynamics",
            summary="Latent dynamics of I-PHYRE games: does the model use the clicks?",
            config=_CONFIG,
            factory=_FACTORY,
            # The frames are mostly white background, so white is what counts as zero.
            defaults={
                "world": {"name": "iphyre", "games": ["hole", "seesaw"]},
                "encoder": {"name": "pixels", "centre": 255},
            },
            tags=("dynamics", "verdict", "preset", "offline"),
        ),
        Spec(
            kind="recipe",
            name="lerobot_latent_dynamics",
            summary="Latent dynamics of a LeRobot dataset: does the model use the robot's actions?",
            config=_CONFIG,
            factory=_FACTORY,
            defaults={"world": {"name": "lerobot"}},
            tags=("dynamics", "verdict", "preset", "robot"),
        ),
        Spec(
            kind="recipe",
            name="gymnasium_latent_dynamics",
            summary="Latent dynamics of a Gymnasium environment: does the model use the actions?",
            config=_CONFIG,
            factory=_FACTORY,
            defaults={"world": {"name": "gymnasium"}},
            tags=("dynamics", "verdict", "preset", "offline"),
        ),
    ]
