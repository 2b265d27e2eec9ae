"""What this distribution brings: the world ``iphyre``."""

from __future__ import annotations

from mezzanine_core import Spec, hookimpl


@hookimpl
def mezz_worlds() -> list[Spec]:
    """Announce the I-PHYRE world."""
    return [
        Spec(
            kind="world",
            name="iphyre",
            summary="I-PHYRE physics games (40): frames before and after clicks that remove blocks",
            config="mezzanine_worlds_iphyre.config:IphyreConfig",
            factory="mezzanine_worlds_iphyre.world:IphyreWorld",
            tags=("transitions", "image", "simulator", "physics", "playable"),
        )
    ]
