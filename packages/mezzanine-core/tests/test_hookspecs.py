"""Every hook of a plugin is called, with the arguments that its specification names."""

import inspect
import json

import pytest

import mezzanine_core.hookspecs as hookspecs
from mezzanine_core.plugins.components import PLURALS
from mezzanine_core.specs import KINDS

HOOKS = {
    name: inspect.signature(member)
    for name, member in vars(hookspecs).items()
    if hasattr(member, "mezzanine_spec")
}
ANNOUNCING = {f"mezz_{PLURALS[kind]}" for kind in KINDS}

IMPLEMENTATION = """
@hookimpl
def {name}({parameters}):
    note({name!r}, {{{items}}})
    return [{spec}]
"""

PLUGIN = """
import json
from pathlib import Path

from mezzanine_core import Spec, hookimpl


def note(hook, arguments):
    with Path({heard!r}).open("a") as file:
        file.write(json.dumps([hook, arguments]) + "\\n")

"""

RECIPE = """
from mezzanine_core.config import ComponentConfig, RecipeConfig
from mezzanine_core.recipes import Recipe
from mezzanine_core.results import Results


class QuietConfig(RecipeConfig):
    fails: bool = False


class Quiet(Recipe[QuietConfig]):
    def run(self, ctx):
        return Results(metrics={} if not self.config.fails else {}[0])
"""


def implementation(name):
    kind = next((kind for kind in KINDS if name == f"mezz_{PLURALS[kind]}"), None)
    references = "config='all_hooks.parts:QuietConfig', factory='all_hooks.parts:Quiet'"
    spec = kind and f"Spec(kind={kind!r}, name='quiet_{kind}', summary='', {references})"
    parameters = list(HOOKS[name].parameters)
    items = ", ".join(f"{each!r}: repr({each})" for each in parameters)
    return IMPLEMENTATION.format(
        name=name, parameters=", ".join(parameters), items=items, spec=spec or ""
    )


@pytest.fixture
def heard(plugin_site, tmp_path):
    """Installs a plugin that implements every hook, and reads what it was called with."""
    file = tmp_path / "heard.jsonl"
    plugin = PLUGIN.format(heard=str(file)) + "".join(map(implementation, HOOKS))
    plugin_site.add("all-hooks", plugin)
    plugin_site.write("all_hooks/parts.py", RECIPE)

    def read():
        return [json.loads(line) for line in file.read_text().splitlines()]

    return read


def test_the_specified_hooks_announce_every_kind_and_follow_runs():
    assert set(HOOKS) == ANNOUNCING | {"mezz_run_started", "mezz_run_finished"}


def test_every_hook_is_called_in_a_run(heard, mezz):
    done = mezz("run", "quiet_recipe", "--out", "out")
    assert done.returncode == 0, done.stderr
    calls = heard()
    assert {name for name, _ in calls} == set(HOOKS)
    for name, arguments in calls:
        assert list(arguments) == list(HOOKS[name].parameters)
    names = [name for name, _ in calls if name not in ANNOUNCING]
    assert names == ["mezz_run_started", "mezz_run_finished"]


def test_announcing_hooks_alone_are_called_where_nothing_runs(heard, mezz):
    done = mezz("list")
    assert done.returncode == 0, done.stderr
    assert sorted(name for name, _ in heard()) == sorted(ANNOUNCING)


def test_a_run_that_fails_is_reported_with_what_ended_it(heard, mezz):
    done = mezz("run", "quiet_recipe", "--out", "out", "--fails")
    assert done.returncode == 1
    name, arguments = heard()[-1]
    assert name == "mezz_run_finished"
    assert arguments["results"] == "None"
    assert arguments["error"].startswith("RunError('the run failed: KeyError")


@pytest.mark.parametrize("name", HOOKS)
def test_a_hook_may_leave_out_arguments(plugin_site, mezz, name):
    plugin = f"from mezzanine_core import hookimpl\n\n@hookimpl\ndef {name}():\n    return []\n"
    plugin_site.add("no-arguments", plugin)
    done = mezz("plugins", "--json")
    assert done.returncode == 0, done.stderr
    statuses = {plugin["distribution"]: plugin["status"] for plugin in json.loads(done.stdout)}
    assert statuses["no-arguments"] == "ok"
