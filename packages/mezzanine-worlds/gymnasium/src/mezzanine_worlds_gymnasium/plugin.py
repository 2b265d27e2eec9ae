"""What this distribution brings: the world ``gymnasium``."""

from __future__ import annotations

from mezzanine_core import Spec, hookimpl


@hookimpl
def mezz_worlds() -> list[Spec]:
    """Announce the Gymnasium world."""
    return [
        Spec(
            kind="world",
            name="gymnasium",
            summary="Any Gymnasium environment: frames or vectors before and after Δ actions",
            config="mezzanine_worlds_gymnasium.config:GymnasiumConfig",
            factory="mezzanine_worlds_gymnasium.world:GymnasiumWorld",
            tags=("transitions", "image", "vector", "simulator", "control", "playable"),
        )
    ]
