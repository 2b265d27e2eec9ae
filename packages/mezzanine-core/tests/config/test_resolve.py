"""From sources to the configuration of a run."""

from __future__ import annotations

import json
import logging
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mezzanine_core.config import Resolved, resolve
from mezzanine_core.config.text import format_value
from mezzanine_core.errors import (
    ConfigError,
    MissingDependencyError,
    PluginError,
    UnknownNameError,
)
from mezzanine_core.fingerprint import fingerprint
from mezzanine_core.plugins import Registry

SOURCES = ("preset", "file", "environment", "flag")


def from_file(registry: Registry, recipe: str, text: str, **more: Any) -> Resolved:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "config.yml"
        path.write_text(text, encoding="utf-8")
        return resolve(registry, recipe, file=path, **more)


def dump(resolved: Resolved) -> Any:
    return resolved.config.model_dump(mode="json")


@given(
    given=st.sets(st.sampled_from(SOURCES)),
    nested=st.fixed_dictionaries({name: st.booleans() for name in SOURCES}),
)
def test_the_strongest_source_wins_and_is_named(
    registry: Registry, given: set[str], nested: dict[str, bool]
) -> None:
    # The setting is at the top level of the recipe; the preset gives it 5 (its default is 800).
    recipe = "short_norms" if "preset" in given else "blob_norms"
    text = "# comment\nsteps: 6\n" if "file" in given else ""
    environ = {"MEZZ_STEPS": "7"} if "environment" in given else {}
    flags = {"steps": "8"} if "flag" in given else {}

    resolved = from_file(registry, recipe, text, environ=environ, flags=flags)

    expected = [("default", 800), *zip(SOURCES, (5, 6, 7, 8), strict=True)]
    source, value = [pair for pair in expected if pair[0] in {"default", *given}][-1]
    assert resolved.config.steps == value
    origin = resolved.origins["steps"]
    assert {
        "default": origin == "default",
        "preset": origin == "preset short_norms",
        "file": origin.endswith("config.yml:2"),
        "environment": origin == "environment MEZZ_STEPS",
        "flag": origin == "flag --steps",
    }[source]


@given(
    given=st.sets(st.sampled_from(SOURCES)),
    nested=st.fixed_dictionaries({name: st.booleans() for name in SOURCES}),
)
def test_the_strongest_source_wins_whichever_way_a_nested_setting_is_spelled(
    registry: Registry, given: set[str], nested: dict[str, bool]
) -> None:
    recipe, values = ("blob_norms", {}) if "preset" in given else ("norms", {"world": "blobs"})
    text = ""
    if "file" in given:
        text = "world: {games: [tower]}\n" if nested["file"] else "games: [tower]\n"
    environ = {}
    if "environment" in given:
        environ["MEZZ_WORLD__GAMES" if nested["environment"] else "MEZZ_GAMES"] = "seesaw"
    if "flag" in given:
        values["world.games" if nested["flag"] else "games"] = "hole,tower"

    resolved = from_file(registry, recipe, text, environ=environ, flags=values)

    expected = {
        "default": ("hole",),
        "preset": ("hole", "seesaw"),
        "file": ("tower",),
        "environment": ("seesaw",),
        "flag": ("hole", "tower"),
    }
    strongest = [name for name in expected if name in {"default", *given}][-1]
    assert resolved.config.world.games == expected[strongest]
    words = {"file": "config.yml:1", "flag": "flag --"}.get(strongest, strongest)
    assert words in resolved.origins["world.games"]


@pytest.mark.parametrize("key", ["remark", "world.remark"])
@pytest.mark.parametrize("source", SOURCES[1:])
def test_an_alias_sets_its_setting_in_every_source_and_the_origin_names_it(
    registry: Registry, source: str, key: str
) -> None:
    text = f"{key}: dry\n" if source == "file" else ""
    variable = f"MEZZ_{key.upper().replace('.', '__')}"
    environ = {variable: "dry"} if source == "environment" else {}
    flags = {key: "dry"} if source == "flag" else {}

    resolved = from_file(registry, "blob_norms", text, environ=environ, flags=flags)

    assert resolved.config.world.note == "dry"
    origin = resolved.origins["world.note"]
    assert origin.endswith(
        {"file": ":1", "environment": f" {variable}", "flag": f" --{key}"}[source]
    )
    assert not [name for name in resolved.origins if "remark" in name]


def test_a_stronger_source_wins_whichever_of_two_names_each_uses(registry: Registry) -> None:
    by_alias = from_file(registry, "blob_norms", "note: a\n", flags={"remark": "b"})
    by_name = from_file(registry, "blob_norms", "world: {remark: a}\n", flags={"note": "b"})

    assert by_alias.config.world.note == by_name.config.world.note == "b"
    assert by_alias.payload() == by_name.payload()


def test_a_name_and_its_alias_in_one_source_are_refused(registry: Registry) -> None:
    with pytest.raises(ConfigError, match=r"yml:2: world.remark: 'world.note' is given twice"):
        from_file(registry, "blob_norms", "world: {note: a,\n remark: b}\n")


def test_an_alias_implies_the_component_that_has_it(registry: Registry) -> None:
    flags = {"lm_layer": "3"}

    assert resolve(registry, "full_norms", flags=flags).config.encoder.embed_layer == 3
    chosen = resolve(registry, "full_norms", flags={**flags, "encoder": "deep"})
    assert chosen.origins["encoder.name"] == "flag --encoder"


def test_a_setting_of_a_component_that_is_not_chosen_is_known_by_its_alias(
    registry: Registry,
) -> None:
    with pytest.raises(UnknownNameError, match="no such flag") as caught:
        resolve(registry, "norms", flags={"world": "robot", "remark": "x"})
    assert "The world blobs has it" in str(caught.value)


FINITE = st.floats(0.001, 15, allow_nan=False)
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1)
VALUES = {
    "world.games": st.lists(st.sampled_from(["hole", "seesaw", "tower"]), min_size=1),
    "world.n_train": st.integers(1, 100_000),
    "world.delta_seconds": FINITE,
    "world.overlap": st.sampled_from(["drop", "keep", "fail"]),
    "world.level": st.sampled_from([1, 2, 3]),
    "world.colour": st.sampled_from(["red", "blue"]),
    "world.noise": st.none() | FINITE,
    "world.note": TEXTS,
    "world.tags": st.lists(TEXTS),
    "world.window": st.tuples(FINITE, FINITE).map(sorted),
    "encoder.dim": st.none() | st.integers(1, 99),
    "seeds": st.lists(st.integers(0, 99), min_size=1, unique=True),
    "resume": st.booleans(),
    "limit": st.just("all") | st.integers(0, 99),
    "optim.lr": FINITE,
    "optim.betas": st.tuples(FINITE, FINITE).map(list),
    # YAML takes keys of at most 1024 characters, those of escapes included.
    "extra": st.dictionaries(TEXTS.filter(lambda text: len(text) <= 80), FINITE),
}


@settings(deadline=None)
@given(st.fixed_dictionaries({}, optional=VALUES))
def test_a_value_is_the_same_by_flag_by_variable_and_by_file(
    registry: Registry, values: dict[str, Any]
) -> None:
    texts = {name: format_value(value) for name, value in values.items()}
    flags = {
        name: value if isinstance(value, bool) else texts[name] for name, value in values.items()
    }
    environ = {f"MEZZ_{name.upper().replace('.', '__')}": text for name, text in texts.items()}
    # JSON leaves one control character as it is that YAML does not take.
    document = json.dumps(values).replace("\x7f", "\\u007f")

    by_flag = resolve(registry, "blob_norms", flags=flags)
    by_variable = resolve(registry, "blob_norms", environ=environ)
    by_file = from_file(registry, "blob_norms", document)

    assert dump(by_flag) == dump(by_variable) == dump(by_file)
    config = dump(by_flag)
    for name, value in values.items():
        level = config
        for part in name.split("."):
            level = level[part]
        assert level == value


@given(st.sampled_from(["n_train", "delta_seconds", "world.n_test", "cache_dir", "train_steps"]))
def test_dashes_and_underscores_are_the_same_in_flags(registry: Registry, name: str) -> None:
    try:
        with_underscores = resolve(registry, "blob_norms", flags={name: "3"})
    except UnknownNameError:
        with pytest.raises(UnknownNameError):
            resolve(registry, "blob_norms", flags={name.replace("_", "-"): "3"})
        return
    with_dashes = resolve(registry, "blob_norms", flags={name.replace("_", "-"): "3"})
    assert dump(with_dashes) == dump(with_underscores)
    assert with_dashes.options == with_underscores.options
    assert with_dashes.origins == with_underscores.origins


def test_every_setting_has_an_origin(registry: Registry) -> None:
    resolved = resolve(registry, "blob_norms")

    def leaves(data: dict[str, Any], prefix: str = "") -> set[str]:
        found = set()
        for name, value in data.items():
            nested = isinstance(value, dict) and name != "extra"
            found |= leaves(value, f"{prefix}{name}.") if nested else {prefix + name}
        return found

    assert set(resolved.origins) == leaves(dump(resolved)) | set(
        resolved.options.model_dump(mode="json")
    )


def test_the_chosen_components_own_models_fill_the_slots(registry: Registry) -> None:
    from mezz_toy.config import BlobsConfig, NormsConfig, PlainConfig

    resolved = resolve(registry, "norms", flags={"world": "blobs"})

    assert isinstance(resolved.config, NormsConfig)
    assert type(resolved.config.world) is BlobsConfig
    assert type(resolved.config.encoder) is PlainConfig
    assert (resolved.config.world.name, resolved.config.encoder.name) == ("blobs", "plain")
    assert {slot: found.spec.name for slot, found in resolved.components.items()} == {
        "world": "blobs",
        "encoder": "plain",
    }
    assert resolved.origins["world.name"] == "flag --world"
    assert resolved.origins["encoder.name"] == "default"


@pytest.mark.parametrize(
    ("text", "environ", "flags", "origin"),
    [
        ("world: robot", {}, {}, "config.yml:1"),
        ("\nworld:\n  name: robot", {}, {}, "config.yml:3"),
        ("world.name: robot", {}, {}, "config.yml:1"),
        ("", {"MEZZ_WORLD": "robot"}, {}, "environment MEZZ_WORLD"),
        ("", {"MEZZ_WORLD__NAME": "robot"}, {}, "environment MEZZ_WORLD__NAME"),
        ("world: blobs", {"MEZZ_WORLD": "blobs"}, {"world": "robot"}, "flag --world"),
        ("", {}, {"world.name": "robot"}, "flag --world.name"),
    ],
)
def test_a_component_can_be_named_in_every_source(
    registry: Registry, text: str, environ: dict[str, str], flags: dict[str, str], origin: str
) -> None:
    resolved = from_file(registry, "blob_norms", text, environ=environ, flags=flags)

    assert resolved.config.world.repo_id == "lab/robot"
    assert resolved.origins["world.name"].endswith(origin)


def test_a_name_with_its_distribution_stays_with_it(registry: Registry) -> None:
    resolved = resolve(registry, "norms", flags={"world": "blobs@mezz-toy"})

    assert resolved.config.world.name == "blobs@mezz-toy"
    assert registry.get("world", resolved.config.world.name) == resolved.components["world"]


def test_what_a_preset_says_of_a_component_goes_with_the_component(
    registry: Registry, caplog: pytest.LogCaptureFixture
) -> None:
    resolved = resolve(registry, "blob_norms", flags={"world": "robot"})

    assert resolved.config.world.n_train == 10
    assert caplog.records == []


def test_what_a_file_says_of_a_replaced_component_is_left_out_with_a_warning(
    registry: Registry, caplog: pytest.LogCaptureFixture
) -> None:
    text = "world:\n  name: blobs\n  n_train: 3\n  games: [hole]\n"

    resolved = from_file(registry, "norms", text, flags={"world": "robot"})

    assert resolved.config.world.n_train == 10
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "the settings of the world blobs in " in record.message
    assert "are left out: robot (flag --world) replaces it" in record.message


def test_settings_without_a_name_belong_to_whatever_is_chosen(registry: Registry) -> None:
    resolved = from_file(registry, "norms", "world: {n_train: 3}", flags={"world": "robot"})

    assert resolved.config.world.n_train == 3


def test_defaults_of_a_components_preset_are_weaker_than_all_sources(registry: Registry) -> None:
    tiny = resolve(registry, "blob_norms", flags={"encoder": "tiny"})
    given = from_file(registry, "blob_norms", "encoder: {name: tiny, dim: 5}")

    assert (tiny.config.encoder.dim, tiny.origins["encoder.dim"]) == (2, "preset tiny")
    assert given.config.encoder.dim == 5


def test_a_world_follows_the_recipes_seed_unless_it_has_its_own(registry: Registry) -> None:
    default = resolve(registry, "blob_norms")
    followed = resolve(registry, "blob_norms", flags={"seed": "7"})
    own = resolve(registry, "blob_norms", flags={"seed": "7", "world.seed": "3"})

    assert (default.config.world.seed, default.origins["world.seed"]) == (0, "seed")
    assert (followed.config.world.seed, followed.origins["world.seed"]) == (7, "seed")
    assert (own.config.world.seed, own.origins["world.seed"]) == (3, "flag --world.seed")
    assert own.config.seed == 7


def test_a_nested_model_given_in_part_keeps_its_parents_defaults(registry: Registry) -> None:
    resolved = resolve(registry, "blob_norms", flags={"optim.betas": "0.5,0.6"})

    assert (resolved.config.optim.lr, resolved.config.optim.betas) == (0.5, (0.5, 0.6))
    assert resolved.origins["optim.lr"] == "default"


@pytest.mark.parametrize(
    ("text", "environ", "flags"),
    [
        ("", {}, {"embed-layer": "3"}),
        ("", {}, {"encoder.embed_layer": "3"}),
        ("embed_layer: 3", {}, {}),
        ("encoder: {embed_layer: 3}", {}, {}),
    ],
)
@pytest.mark.parametrize("recipe", ["blob_norms", "full_norms"])
def test_a_setting_can_imply_its_component(
    registry: Registry, recipe: str, text: str, environ: dict[str, str], flags: dict[str, str]
) -> None:
    resolved = from_file(registry, recipe, text, environ=environ, flags=flags)

    assert resolved.config.encoder.name == "deep"
    assert resolved.config.encoder.embed_layer == 3
    assert resolved.origins["encoder.name"] == resolved.origins["encoder.embed_layer"]


def test_a_setting_that_the_default_component_has_implies_nothing(registry: Registry) -> None:
    resolved = resolve(registry, "blob_norms", flags={"batch": "3"})

    assert resolved.config.encoder.name == "plain"


def test_a_setting_implies_nothing_against_a_component_that_was_named(registry: Registry) -> None:
    with pytest.raises(UnknownNameError, match="--embed-layer") as caught:
        resolve(registry, "blob_norms", flags={"embed_layer": "3", "encoder": "plain"})
    assert "The encoder deep has it: choose it with `--encoder deep`." in str(caught.value)


def test_a_setting_that_implies_what_is_not_installed_says_how_to_install_it(
    registry: Registry,
) -> None:
    with pytest.raises(MissingDependencyError, match="--model-name: the encoder") as caught:
        resolve(registry, "blob_norms", flags={"model-name": "x"})
    assert caught.value.hint == "pip install mezzanine-encoders-hf"
    assert caught.value.exit_code == 3


def test_options_of_the_run_come_from_every_source(registry: Registry) -> None:
    resolved = from_file(
        registry,
        "blob_norms",
        "out: there\ncache_dir: ~/cache\nworkers: 2\n",
        environ={"MEZZ_DEVICE": "cuda:1", "MEZZ_WORKERS": "3"},
        flags={"out": "here"},
    )

    options = resolved.options
    assert options.out == Path("here")
    assert options.cache_dir == Path.home() / "cache"
    assert (options.device, options.workers, options.log) == ("cuda:1", 3, ())
    assert resolved.origins["device"] == "environment MEZZ_DEVICE"
    assert resolved.origins["cache_dir"].endswith("config.yml:2")


def test_options_of_the_run_stay_out_of_the_fingerprint(registry: Registry, tmp_path: Path) -> None:
    plain = resolve(registry, "blob_norms")
    moved = resolve(
        registry,
        "blob_norms",
        flags={"out": "x", "cache_dir": str(tmp_path), "device": "mps", "workers": 4, "batch": 2},
    )

    assert fingerprint(moved.payload()) == fingerprint(plain.payload())


def test_the_fingerprint_is_of_the_implementation_not_of_the_preset(registry: Registry) -> None:
    preset = resolve(registry, "blob_norms")
    spelled = resolve(registry, "norms", flags={"world": "blobs@mezz-toy", "games": "hole,seesaw"})
    tiny = resolve(registry, "blob_norms", flags={"encoder": "tiny"})
    plain = resolve(registry, "blob_norms", flags={"dim": "2"})

    assert spelled.payload() == preset.payload()
    assert tiny.payload() == plain.payload() != preset.payload()


@given(st.sampled_from(sorted(VALUES)), st.data())
def test_every_setting_that_changes_the_outcome_changes_the_fingerprint(
    registry: Registry, name: str, data: st.DataObject
) -> None:
    base = resolve(registry, "blob_norms")
    value = data.draw(VALUES[name])
    changed = resolve(registry, "blob_norms", flags={name: locate_free(value)})

    same = dump(changed) == dump(base)
    assert (fingerprint(changed.payload()) == fingerprint(base.payload())) is same


def locate_free(value: Any) -> Any:
    """A value as the programming interface takes it: strings in lists are not split again."""
    return format_value(value) if isinstance(value, list | dict) else value


def test_a_variable_that_looks_like_a_typo_is_warned_of(
    registry: Registry, caplog: pytest.LogCaptureFixture
) -> None:
    environ = {"MEZZ_N_TRIAN": "3", "MEZZ_SOMETHING_ELSE": "1", "MEZZ_STRICT": "1", "MEZZ_HOME": ""}

    resolve(registry, "blob_norms", environ=environ)

    assert [record.message for record in caplog.records] == [
        "MEZZ_N_TRIAN is ignored; did you mean MEZZ_N_TRAIN?"
    ]


def test_nothing_is_read_from_the_process_by_itself(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEZZ_STEPS", "3")

    assert resolve(registry, "blob_norms").config.steps == 800


@pytest.mark.parametrize(
    ("recipe", "words"),
    [
        ("clash", "settings whose names every run has for itself: dry_run, out"),
        ("no_recipe", "does not derive from mezzanine_core.config.RecipeConfig"),
        ("wrong_key", "preset wrong_key: stepz: there is no such setting"),
        ("wrong_value", "preset wrong_value: steps: 0 is out of range"),
    ],
)
def test_a_recipe_that_breaks_its_contract_is_a_plugin_error(
    registry: Registry, recipe: str, words: str
) -> None:
    with pytest.raises(PluginError, match=words) as caught:
        resolve(registry, recipe)
    assert caught.value.hint is not None
    assert caught.value.exit_code == 3


def test_a_component_that_breaks_its_contract_is_a_plugin_error(registry: Registry) -> None:
    with pytest.raises(PluginError, match=r"does not derive from mezzanine_core\.config\.Encoder"):
        resolve(registry, "blob_norms", flags={"encoder": "flawed"})


def test_a_symmetry_does_not_fill_the_slot_of_a_world(registry: Registry) -> None:
    with pytest.raises(UnknownNameError, match="--world: there is no world 'flip'") as caught:
        resolve(registry, "norms", flags={"world": "flip"})
    assert "is the name of a symmetry" in str(caught.value)


def test_a_slot_that_nothing_fills_is_asked_for(registry: Registry) -> None:
    with pytest.raises(ConfigError, match="the recipe needs a world") as caught:
        resolve(registry, "norms")
    assert caught.value.hint == "Give --world NAME; installed: blobs, robot."


def test_an_unknown_recipe_is_answered_with_those_that_come_near(registry: Registry) -> None:
    with pytest.raises(UnknownNameError, match="no recipe 'blobnorms'") as caught:
        resolve(registry, "blobnorms")
    assert "'blob_norms'" in str(caught.value.hint)
