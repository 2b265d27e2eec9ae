"""What the distribution announces."""

from mezzanine_core import Spec, hookimpl


def _spec(kind, name, config, factory="Nothing", **more):
    return Spec(
        kind=kind,
        name=name,
        summary=f"The toy {kind} {name}",
        config=f"mezz_toy.config:{config}",
        factory=f"mezz_toy.parts:{factory}",
        **more,
    )


@hookimpl
def mezz_worlds():
    return [_spec("world", "blobs", "BlobsConfig", "Blobs"), _spec("world", "robot", "RobotConfig")]


@hookimpl
def mezz_encoders():
    return [
        _spec("encoder", "plain", "PlainConfig", "Plain"),
        _spec("encoder", "tiny", "PlainConfig", "Plain", defaults={"dim": 2}),
        _spec("encoder", "deep", "DeepConfig"),
        _spec("encoder", "flawed", "OptimConfig"),
    ]


@hookimpl
def mezz_symmetries():
    return [_spec("symmetry", "flip", "FlipConfig")]


@hookimpl
def mezz_recipes():
    blobs = {"world": {"name": "blobs", "games": ["hole", "seesaw"]}}
    plain = {"name": "plain", "dim": 3}
    return [
        _spec("recipe", "norms", "NormsConfig", "Norms"),
        _spec("recipe", "blob_norms", "NormsConfig", "Norms", defaults=blobs),
        _spec("recipe", "short_norms", "NormsConfig", "Norms", defaults={**blobs, "steps": 5}),
        _spec("recipe", "full_norms", "NormsConfig", "Norms", defaults={**blobs, "encoder": plain}),
        _spec("recipe", "nearest", "NearestConfig", "Nearest", defaults=blobs),
        _spec("recipe", "clash", "ClashConfig"),
        _spec("recipe", "no_recipe", "NotARecipeConfig"),
        _spec("recipe", "wrong_key", "LooseConfig", defaults={"stepz": 1}),
        _spec("recipe", "wrong_value", "LooseConfig", defaults={"steps": 0}),
    ]
