"""What the test distribution announces."""

from mezzanine_core import Spec, hookimpl


def _spec(kind, name, config, factory):
    return Spec(
        kind=kind,
        name=name,
        summary="For tests",
        config=f"distill_test_parts.{config}",
        factory=f"distill_test_parts.{factory}",
    )


@hookimpl
def mezz_worlds():
    return [_spec("world", "tales", "worlds:TalesConfig", "worlds:TalesWorld")]


@hookimpl
def mezz_encoders():
    return [
        _spec("encoder", "reader", "encoders:ReaderConfig", "encoders:Reader"),
        _spec("encoder", "mute", "encoders:ReaderConfig", "encoders:Mute"),
    ]
