"""What the distribution announces."""

from mezzanine_core import Spec, hookimpl


def _spec(kind, name, config, factory, **more):
    return Spec(
        kind=kind,
        name=name,
        summary="Faulty where its settings say so",
        config=f"mezz_faulty.configs:{config}",
        factory=f"mezz_faulty.{factory}",
        **more,
    )


@hookimpl
def mezz_worlds():
    return [_spec("world", "faulty_world", "FaultyWorld", "worlds:Numbers", tags=("playable",))]


@hookimpl
def mezz_symmetries():
    return [_spec("symmetry", "faulty_symmetry", "FaultySymmetry", "symmetries:Turns")]


@hookimpl
def mezz_encoders():
    return [
        _spec("encoder", "faulty_encoder", "FaultyEncoder", "encoders:Scaled"),
        *(
            _spec("encoder", f"{name.lower()}_encoder", f"{name}Encoder", "encoders:Scaled")
            for name in ("Loose", "Thawed", "Mute", "Schemaless", "Rigid", "Wordless")
        ),
        _spec("encoder", "baseless_encoder", "Baseless", "encoders:Scaled"),
        _spec("encoder", "other_encoder", "FaultyEncoder", "executors:InTurn"),
    ]


@hookimpl
def mezz_recipes():
    both = {"world": {"name": "faulty_world"}, "encoder": {"name": "faulty_encoder"}}
    return [_spec("recipe", "faulty_recipe", "FaultyRecipe", "recipes:Sums", defaults=both)]


@hookimpl
def mezz_trackers():
    return [_spec("tracker", "faulty_tracker", "FaultyTracker", "trackers:Diary")]


@hookimpl
def mezz_executors():
    return [_spec("executor", "faulty_executor", "FaultyExecutor", "executors:InTurn")]
