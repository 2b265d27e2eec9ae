"""What the test distribution announces."""

from mezzanine_core import Spec, hookimpl


def _spec(kind, name, config, factory, tags=()):
    return Spec(
        kind=kind,
        name=name,
        summary="For tests",
        config=f"dynamics_test_parts.{config}",
        factory=f"dynamics_test_parts.{factory}",
        tags=tags,
    )


@hookimpl
def mezz_worlds():
    return [
        _spec("world", "linear", "worlds:LinearConfig", "worlds:LinearWorld"),
        _spec("world", "steered", "worlds:SteeredConfig", "worlds:SteeredWorld", ("playable",)),
        _spec("world", "dot", "worlds:DotConfig", "worlds:DotWorld"),
    ]


@hookimpl
def mezz_encoders():
    return [_spec("encoder", "identity", "encoders:IdentityConfig", "encoders:Identity")]
