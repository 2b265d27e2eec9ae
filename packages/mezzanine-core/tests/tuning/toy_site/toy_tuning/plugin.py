"""What the distribution announces."""

from mezzanine_core import Spec, hookimpl


@hookimpl
def mezz_recipes():
    return [
        Spec(
            kind="recipe",
            name=name,
            summary="Figures that are known beforehand",
            config="toy_tuning.parts:HillConfig",
            factory="toy_tuning.parts:Hill",
            defaults=defaults,
        )
        for name, defaults in (("hill", {}), ("own_hill", {"own": True}), ("steep", {"width": 1}))
    ]


@hookimpl
def mezz_worlds():
    return [
        Spec(
            kind="world",
            name="land",
            summary="A place for hills",
            config="toy_tuning.parts:LandConfig",
            factory="toy_tuning.parts:Land",
        )
    ]
