"""Core alone: every command is of use, and says how to get what is not there."""

import json

import pytest
from packaging.utils import canonicalize_name

TELLING = [
    ("list", "order"),
    ("list --all", "iphyre_latent_dynamics"),
    ("list symmetries", "action_shuffle"),
    ("list-symmetries", "view"),
    ("list worlds --all", "pip install mezzanine-worlds-iphyre"),
    ("list-encoders", "vector"),
    ("info order", "keep_last"),
    ("run --help", "RECIPE"),
    ("cache ls", "is empty"),
    ("runs ls", "no run"),
    ("plugins", "mezzanine-core:core"),
    ("plugins check vector", "0 broken"),
    ("new world my_world --dry-run", "pyproject.toml"),
    ("doctor", "0 problems found."),
    ("doctor --timings", "mezzanine-core"),
]
"""Command → what its answer holds."""

ABSENT = [
    ("run iphyre_latent_dynamics", "mezzanine-recipes-dynamics"),
    ("run hf_text_order_distill --n_train 10", "mezzanine-recipes-distill"),
    ("info iphyre", "mezzanine-worlds-iphyre"),
    ("info hf_vision", "mezzanine-encoders-hf"),
    ("info gymnasium_latent_dynamics", "mezzanine-recipes-dynamics"),
    ("tune iphyre_latent_dynamics", "mezzanine-recipes-dynamics"),
    ("plugins check pixels", "mezzanine-encoders-pixels"),
]
"""Command that needs what is not installed → the distribution that brings it."""


def test_nothing_is_installed_but_what_core_requires(core_alone):
    script = "import importlib.metadata as m; print(*(d.name for d in m.distributions()))"
    done = core_alone.run(core_alone.python, "-c", script)
    names = {canonicalize_name(name) for name in done.stdout.split()}
    assert "mezzanine-core" in names
    assert names & {"torch", "pip", "pytest", "matplotlib", "pillow"} == set()


def test_every_command_has_help(core_alone):
    commands = core_alone.commands()
    assert len(commands) > 20
    for words in commands:
        assert core_alone.answer(*words, "--help").startswith(
            f"Usage: {' '.join(['mezz', *words])}"
        )


@pytest.mark.parametrize(("line", "words"), TELLING, ids=[line for line, _ in TELLING])
def test_a_command_is_of_use_without_any_plugin(core_alone, line, words):
    done = core_alone.mezz(*line.split())
    assert done.returncode == 0, done.stderr
    assert words in done.stdout + done.stderr


def test_both_names_of_the_program_are_there(core_alone):
    scripts = [core_alone.root / "bin" / name for name in ("mezz", "mezzanine")]
    answers = [core_alone.run(script, "--version").stdout for script in scripts]
    assert answers[0] == answers[1] != ""
    assert core_alone.run(core_alone.python, "-m", "mezzanine_core", "--version").stdout in answers


@pytest.mark.parametrize(("line", "home"), ABSENT, ids=[line for line, _ in ABSENT])
def test_what_is_not_installed_is_answered_with_the_command_that_brings_it(core_alone, line, home):
    done = core_alone.mezz(*line.split())
    assert (done.returncode, done.stdout) == (3, "")
    assert f"hint: pip install {home}\n" in done.stderr


def test_data_on_stdout_are_json_where_asked_for(core_alone):
    for line in ("list", "info order", "plugins", "doctor", "cache ls", "runs ls"):
        assert core_alone.json(*line.split()) is not None


def test_the_symmetries_and_the_encoder_of_core_work(core_alone):
    script = """
import json
import numpy as np
from mezzanine_core.plugins import load_registry
registry = load_registry()
def make(kind, name):
    found = registry.get(kind, name)
    return found.create(found.load_config()(name=name))
views = make("symmetry", "order").views("One. Two. Three.", 6, 0)
latents = make("encoder", "vector").encode(np.ones((2, 3), np.float32))
print(json.dumps([sorted(views.values), views.exact, latents.shape]))
"""
    done = core_alone.run(core_alone.python, "-c", script)
    values, exact, shape = json.loads(done.stdout)
    assert (len(set(values)), exact, shape) == (6, True, [2, 64])
