"""Components that break their contract, each named with its distribution."""

import os

import pytest

from mezzanine_core.plugins import load_registry
from mezzanine_core.runs.instances import Instances

RUN = ["run", "bad_recipe", "--world", "bad_world", "--cache-dir", "cache", "--workers", "1"]


@pytest.fixture
def bad(plugin_site, mezz):
    """Runs the toy recipe of a distribution whose part of one kind has the given text."""

    def run(kind, text):
        site = plugin_site
        package = "mezz_test_bad"
        specs = [
            f"Spec(kind={each!r}, name='bad_{each}', summary='x', "
            f"config='{package}.parts:{each.title()}', factory='{package}.parts:{each}')"
            for each in ("world", "encoder", "recipe")
        ]
        plugin = "".join(
            f"@hookimpl\ndef mezz_{each}s():\n    return [{spec}]\n"
            for each, spec in zip(("world", "encoder", "recipe"), specs, strict=True)
        )
        site.add("mezz-test-bad", "from mezzanine_core import Spec, hookimpl\n" + plugin)
        made = {"world": "good_world", "encoder": "good_encoder", "recipe": "good_recipe"}
        made[kind] = "Made"
        aliases = "".join(f"{name} = {value}\n" for name, value in made.items())
        site.write(f"{package}/parts.py", GOOD + text + aliases)
        return mezz(*RUN, "--encoder", "bad_encoder", "--out", "out")

    return run


GOOD = """
from typing import Annotated
import numpy as np
from mezzanine_core.config import EncoderConfig, RecipeConfig, Slot, WorldConfig
from mezzanine_core.encoders import Encoder as EncoderBase
from mezzanine_core.fingerprint import item_keys
from mezzanine_core.recipes import Recipe as RecipeBase
from mezzanine_core.results import Results
from mezzanine_core.worlds import ArrayColumn, Labelled, WorldData
from mezzanine_core.worlds import World as WorldBase

class World(WorldConfig): pass
class Encoder(EncoderConfig): pass
class Recipe(RecipeConfig):
    world: Annotated[WorldConfig, Slot("world")]
    encoder: Annotated[EncoderConfig, Slot("encoder")]

class good_world(WorldBase):
    def source(self): return {}
    def fingerprint(self): return "world"
    def load(self):
        points = np.ones((4, 3), np.float32)
        column = ArrayColumn(points, "vector", item_keys("x", list(range(4))))
        return WorldData({"train": Labelled(column, np.zeros(4, np.int64), ("a",))})
class good_encoder(EncoderBase):
    accepts = frozenset({"vector"})
    dim = 3
    def fingerprint(self): return "ab" * 32
    def encode(self, batch): return batch
class good_recipe(RecipeBase):
    def run(self, ctx):
        column = ctx.world(self.config.world).load().labelled("train").input
        ctx.latents(column, ctx.encoder(self.config.encoder))
        return Results(metrics={})
"""


def test_the_parts_run_where_none_is_bad(bad):
    done = bad("encoder", "class Made(good_encoder): pass\n")
    assert (done.returncode, "rror" in done.stderr) == (0, False), done.stderr


@pytest.mark.parametrize(
    ("kind", "text", "words"),
    [
        (
            "world",
            "class Made(good_world):\n    def fingerprint(self): return 5\n",
            "has a fingerprint() that returned 5 (int), not text",
        ),
        (
            "encoder",
            "class Made(good_encoder):\n    def fingerprint(self): return None\n",
            "has a fingerprint() that returned None (NoneType), not text",
        ),
        ("encoder", "class Made(good_encoder): dim = -3\n", "has the dim -3"),
        ("world", "def Made(config): return [1]\n", "constructs [1] (list), which is no World"),
        ("encoder", "def Made(config): return None\n", "which is no Encoder"),
        ("recipe", "def Made(config): return object()\n", "which is no Recipe"),
    ],
)
def test_a_component_that_breaks_its_contract_is_named_before_anything_is_touched(
    bad, tmp_path, kind, text, words
):
    done = bad(kind, text)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith(f"error: the {kind} 'bad_{kind}' of mezz-test-bad 1.0 ")
    assert words in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_world_that_loads_nothing_is_to_blame_not_the_recipe_that_stumbles_over_it(bad):
    done = bad("world", "class Made(good_world):\n    def load(self): return None\n")
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith(
        "error: the world 'bad_world' of mezz-test-bad 1.0 has a load() that returned "
        "None (NoneType), not WorldData\n"
    )


def test_what_an_encoder_of_another_distribution_raises_is_not_blamed_on_the_recipe(
    plugin_site, bad, mezz
):
    site = plugin_site
    spec = (
        "Spec(kind='encoder', name='other', summary='x', config='mezz_test_bad.parts:Encoder', "
        "factory='mezz_test_other.parts:Other')"
    )
    site.add("mezz-test-other", site.announce("mezz_encoders", spec))
    site.write(
        "mezz_test_other/parts.py",
        "from mezzanine_core.encoders import Encoder\nclass Other(Encoder):\n"
        "    accepts = frozenset({'vector'})\n    dim = 3\n"
        "    def fingerprint(self): return 'cd' * 32\n"
        "    def encode(self, batch): raise IndexError('out of memory cells')\n",
    )
    bad("world", "class Made(good_world): pass\n")
    done = mezz(*RUN, "--encoder", "other", "--out", "other")
    assert (done.returncode, done.stdout) == (1, "")
    assert "the run failed: IndexError: out of memory cells" in done.stderr
    assert "If this is a bug in mezz-test-other, report it" in done.stderr


@pytest.mark.parametrize(("given", "expected"), [(None, "PASSIVE"), ("ACTIVE", "ACTIVE")])
def test_threads_that_wait_do_not_spin_unless_the_user_wants_it(monkeypatch, given, expected):
    # Setting it first makes monkeypatch restore what was there, whatever the constructor sets.
    monkeypatch.setenv("OMP_WAIT_POLICY", "")
    if given is None:
        monkeypatch.delenv("OMP_WAIT_POLICY")
    else:
        monkeypatch.setenv("OMP_WAIT_POLICY", given)
    Instances(load_registry())
    assert os.environ["OMP_WAIT_POLICY"] == expected
