"""What this distribution announces to Mezzanine."""

from mezzanine_core import Spec, hookimpl


@hookimpl
def mezz_trackers() -> list[Spec]:
    """The tracker."""
    return [
        Spec(
            kind="tracker",
            name="wandb",
            summary="Weights & Biases, online or offline",
            config="mezzanine_trackers_wandb.config:WandbConfig",
            factory="mezzanine_trackers_wandb.tracker:WandbTracker",
            tags=("offline", "online"),
        )
    ]
