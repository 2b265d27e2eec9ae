"""What the distribution announces."""

from mezzanine_core import Spec, hookimpl


def _spec(kind, name, part):
    return Spec(
        kind=kind,
        name=name,
        summary="x",
        config=f"toy_curves.parts:{part}Config",
        factory=f"toy_curves.parts:{part}",
    )


@hookimpl
def mezz_worlds():
    return [_spec("world", "nothing", "Nothing")]


@hookimpl
def mezz_recipes():
    return [_spec("recipe", "curves", "Curves")]
