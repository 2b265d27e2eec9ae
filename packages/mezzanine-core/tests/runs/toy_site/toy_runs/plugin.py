"""What the distribution announces."""

from mezzanine_core import Spec, hookimpl


def _spec(kind, name, part, **more):
    return Spec(
        kind=kind,
        name=name,
        summary="x",
        config=f"toy_runs.parts:{part}Config",
        factory=f"toy_runs.parts:{part}",
        **more,
    )


@hookimpl
def mezz_worlds():
    return [_spec("world", "points", "Points")]


@hookimpl
def mezz_encoders():
    return [_spec("encoder", "scale", "Scale")]


@hookimpl
def mezz_recipes():
    both = {"world": {"name": "points"}, "encoder": {"name": "scale"}}
    return [
        _spec("recipe", "norms", "Norms"),
        _spec("recipe", "point_norms", "Norms", defaults=both),
        _spec("recipe", "same_norms", "Norms", defaults=both),
        _spec("recipe", "nonsense", "Nonsense", defaults=both),
        _spec("recipe", "silent", "Silent", defaults=both),
    ]


@hookimpl
def mezz_trackers():
    return [
        _spec("tracker", "diary", "Diary"),
        _spec("tracker", "broken", "Broken"),
        _spec("tracker", "demanding", "Demanding"),
    ]


@hookimpl
def mezz_executors():
    return [_spec("executor", "inline", "Inline"), _spec("executor", "queue", "Queue")]


@hookimpl
def mezz_run_started(recipe, out, config):
    from toy_runs import parts

    parts.HEARD.append(("started", recipe, out, config))


@hookimpl
def mezz_run_finished(recipe, out, results, error):
    from toy_runs import parts

    parts.HEARD.append(("finished", recipe, out, results, error))
