"""Everything installed from its wheels: every command, every recipe's help, and a real run."""

import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
APART = {file.parent for file in (ROOT / "packages").glob("**/constraints.txt")}
"""What cannot share an environment with the others."""

RUN = (
    "run iphyre_latent_dynamics --games hole --n_train 48 --n_test 40 --delta_seconds 2.0 "
    "--seeds 0 --train_steps 20 --bootstrap 100 --workers 1 --out out"
)
HEAVY = {"torch", "transformers", "datasets", "pygame", "gymnasium", "matplotlib", "zarr"}
"""What neither listings nor the settings of a component need."""

LISTINGS = ["--help", "list", "list worlds --json", "plugins", "run --help"]


@pytest.fixture(scope="module")
def everything(new_environment, wheels):
    """All distributions that can share an environment, and what they require, from wheels."""
    apart = {
        f"mezzanine-{path.parent.name.removeprefix('mezzanine-')}-{path.name}" for path in APART
    }
    environment = new_environment("everything")
    environment.install(*(wheel for name, wheel in wheels.items() if name not in apart))
    return environment


def test_every_plugin_is_fine(everything, wheels):
    records = everything.json("plugins")
    assert {record["status"] for record in records} == {"ok"}
    assert {record["distribution"] for record in records} < set(wheels)
    assert len(records) == len(wheels) - len(APART)
    doctor = everything.mezz("doctor")
    assert doctor.returncode == 0, doctor.stdout


def test_every_command_and_every_recipe_has_help(everything):
    commands = everything.commands()
    recipes = [words[1] for words in commands if words[:1] == ["run"] and len(words) == 2]
    assert {"latent_dynamics", "symmetry_distill", "iphyre_latent_dynamics"} <= set(recipes)
    for words in commands:
        shown = everything.answer(*words, "--help")
        assert shown.startswith(f"Usage: {' '.join(['mezz', *words])}")


def test_every_component_can_be_looked_at(everything):
    for found in everything.json("list"):
        shown = everything.json("info", found["name"], "--kind", found["kind"])
        assert shown["name"] == found["name"]


@pytest.mark.parametrize("line", LISTINGS)
def test_what_lists_imports_nothing_heavy(everything, line):
    script = (
        "import sys\nfrom mezzanine_core.cli import main\ncode = main(sys.argv[1:])\n"
        "print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)\nsys.exit(code)"
    )
    done = everything.run(everything.python, "-c", script, *line.split())
    assert done.returncode == 0, done.stderr
    imported = set(done.stderr.splitlines()[-1].split())
    assert "typer" in imported
    assert imported & {*HEAVY, "numpy", "pydantic"} == set()


def test_the_settings_of_no_component_import_anything_heavy(everything):
    script = (
        "import sys\nfrom mezzanine_core.plugins import load_registry\n"
        "for found in load_registry().components():\n    found.load_config()\n"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    imported = set(everything.run(everything.python, "-c", script).stdout.split())
    assert "mezzanine_recipes_dynamics" in imported
    assert imported & HEAVY == set()


def test_a_run_leaves_results_that_the_other_commands_show(everything):
    everything.answer(*RUN.split())
    results = json.loads((everything.home / "out" / "results.json").read_text(encoding="utf-8"))
    assert results["verdict"]["label"] in ("MAKE", "BREAK", "INCONCLUSIVE")
    (run,) = everything.json("runs", "ls")
    assert run["recipe"] == "iphyre_latent_dynamics"
    assert results["verdict"]["label"] in everything.answer("runs", "show", "out")
    cached = {entry["name"]: entry["rows"] for entry in everything.json("cache", "ls")}
    assert cached["pixels"] > 0
    assert everything.mezz("cache", "verify").returncode == 0


def test_a_second_run_takes_its_latents_from_the_cache(everything):
    planned = everything.answer(*RUN.replace("--out out", "--dry-run --out other").split())
    assert "0 to encode" in planned


def test_a_plugin_without_its_library_is_listed_and_says_what_it_needs(beside_core, wheels):
    """LeRobot pins versions that the other distributions exclude, so its wheel comes without it."""
    beside_core.pip("install", "--no-deps", str(wheels["mezzanine-worlds-lerobot"]))
    assert "lerobot" in [found["name"] for found in beside_core.json("list", "worlds")]
    assert "repo_id" in beside_core.answer("info", "lerobot")
    doctor = beside_core.mezz("doctor")
    assert doctor.returncode == 1
    assert "pip install 'lerobot<0.5,>=0.4.4'" in doctor.stdout
