"""What this distribution announces to Mezzanine."""

from mezzanine_core import Spec, hookimpl


@hookimpl
def mezz_trackers() -> list[Spec]:
    """The tracker."""
    return [
        Spec(
            kind="tracker",
            name="tensorboard",
            summary="TensorBoard event files in the run directory",
            config="mezzanine_trackers_tensorboard.config:TensorBoardConfig",
            factory="mezzanine_trackers_tensorboard.tracker:TensorBoardTracker",
            tags=("offline",),
        )
    ]
