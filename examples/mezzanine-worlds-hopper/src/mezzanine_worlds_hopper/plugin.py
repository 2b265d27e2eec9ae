"""What this distribution brings: the world ``hopper``."""

from mezzanine_core import Spec, hookimpl


@hookimpl
def mezz_worlds() -> list[Spec]:
    """Announce the hopper."""
    return [
        Spec(
            kind="world",
            name="hopper",
            summary="A one-legged robot: where the leg is put and how hard it pushes",
            config="mezzanine_worlds_hopper.config:HopperConfig",
            factory="mezzanine_worlds_hopper.world:HopperWorld",
            tags=("transitions", "vector", "image", "simulator", "control", "playable"),
        )
    ]
