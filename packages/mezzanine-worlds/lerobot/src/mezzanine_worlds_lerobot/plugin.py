"""What this distribution brings: the world ``lerobot``."""

from __future__ import annotations

from mezzanine_core import Spec, hookimpl


@hookimpl
def mezz_worlds() -> list[Spec]:
    """Announce the LeRobot world."""
    return [
        Spec(
            kind="world",
            name="lerobot",
            summary="LeRobot data sets (v3.0) of robots: camera frames before and after actions",
            config="mezzanine_worlds_lerobot.config:LeRobotConfig",
            factory="mezzanine_worlds_lerobot.world:LeRobotWorld",
            tags=("transitions", "image", "robot", "huggingface"),
        )
    ]
