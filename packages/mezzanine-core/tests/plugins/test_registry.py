import logging

import pluggy
import pytest

from mezzanine_core import hookspecs
from mezzanine_core.errors import (
    ConfigError,
    MissingDependencyError,
    PluginError,
    UnknownNameError,
)
from mezzanine_core.plugins import Registry, load_registry

A, B = "mezz-test-a", "mezz-test-b"


def install_toy_twice(site) -> Registry:
    for distribution in (A, B):
        site.add(distribution, site.announce("mezz_worlds", site.world("toy")))
    return load_registry(only=[A, B])


def test_components_are_sorted_by_kind_then_name_then_distribution(plugin_site):
    site = plugin_site
    encoder = "Spec(kind='encoder', name='blank', summary='', config='a:B', factory='a:B')"
    site.add(B, site.announce("mezz_encoders", encoder))
    site.add(A, site.announce("mezz_worlds", site.world("zoo"), site.world("ant")))
    registry = load_registry(only=[A, B])

    def mine(*kind):
        return [one.qualified for one in registry.components(*kind) if one.distribution in (A, B)]

    assert mine() == [f"ant@{A}", f"zoo@{A}", f"blank@{B}"]
    assert mine("encoder") == [f"blank@{B}"]


def test_one_name_from_two_distributions_is_listed_twice_and_ambiguous(plugin_site):
    registry = install_toy_twice(plugin_site)
    found = registry.components("world")
    assert [each.qualified for each in found] == [f"toy@{A}", f"toy@{B}"]
    assert all(registry.is_ambiguous(each) for each in found)
    with pytest.raises(ConfigError, match=f"'toy' is announced by {A} and by {B}") as caught:
        registry.get("world", "toy")
    assert caught.value.hint == f"Say which one: `toy@{A}` or `toy@{B}`."


def test_every_component_is_found_by_its_qualified_name(plugin_site):
    registry = install_toy_twice(plugin_site)
    for found in registry.components():
        assert registry.get(found.spec.kind, found.qualified) is found


@pytest.mark.parametrize("spelling", ["toy@mezz-test-a", "toy@Mezz_Test.A"])
def test_the_distribution_may_be_spelled_as_pip_takes_it(plugin_site, spelling):
    assert install_toy_twice(plugin_site).get("world", spelling).distribution == A


def test_dashes_in_names_count_as_underscores(plugin_site):
    site = plugin_site
    site.add(A, site.announce("mezz_worlds", site.world("toy_world")))
    assert load_registry(only=[A]).get("world", "toy-world").spec.name == "toy_world"


def test_an_unknown_name_is_answered_with_those_that_come_near(plugin_site):
    site = plugin_site
    site.add(A, site.announce("mezz_worlds", site.world("hopper")))
    with pytest.raises(UnknownNameError, match="there is no world 'hoper'") as caught:
        load_registry(only=[A]).get("world", "hoper")
    assert caught.value.hint == "Did you mean 'hopper'? `mezz list worlds` shows all."


def test_a_name_of_another_kind_is_recognised(plugin_site):
    site = plugin_site
    site.add(A, site.announce("mezz_worlds", site.world("hopper")))
    with pytest.raises(UnknownNameError) as caught:
        load_registry(only=[A]).get("encoder", "hopper")
    assert caught.value.hint is not None
    assert caught.value.hint.startswith("'hopper' is the name of a world. ")


def test_the_name_of_a_world_points_to_the_recipes_that_are_named_after_it(plugin_site):
    site = plugin_site
    site.add(A, site.announce("mezz_worlds", site.world("iphyre")))
    with pytest.raises(UnknownNameError) as caught:
        load_registry(only=[A]).get("recipe", "iphyre")
    assert caught.value.hint is not None
    assert "'iphyre' is the name of a world. Did you mean 'iphyre_latent_dynamics'?" in (
        caught.value.hint
    )


def test_an_unknown_name_may_belong_to_a_plugin_that_failed(plugin_site):
    plugin_site.add(A, "raise RuntimeError\n")
    with pytest.raises(UnknownNameError) as caught:
        load_registry(only=[A]).get("world", "qqqqqq")
    assert caught.value.hint is not None
    assert "Some plugins could not be loaded: see `mezz plugins`." in caught.value.hint


def test_a_distribution_that_lacks_the_name_is_told_from_those_that_have_it(plugin_site):
    registry = install_toy_twice(plugin_site)
    with pytest.raises(UnknownNameError, match="some-other brings no world 'toy'") as caught:
        registry.get("world", "toy@some-other")
    assert caught.value.hint is not None
    assert caught.value.hint.startswith(f"There is `toy@{A}`, `toy@{B}`. ")
    with pytest.raises(UnknownNameError, match="no world 'qqqqqq' of some-other"):
        registry.get("world", "qqqqqq@some-other")


def test_a_known_component_that_is_not_installed_is_answered_with_its_pip_command():
    registry = Registry((), pluggy.PluginManager(hookspecs.PROJECT))
    with pytest.raises(MissingDependencyError, match="'iphyre' is not installed") as caught:
        registry.get("world", "iphyre")
    assert caught.value.hint == "pip install mezzanine-worlds-iphyre"
    assert caught.value.exit_code == 3


def test_a_known_component_of_a_broken_plugin_says_what_ails_it(plugin_site):
    plugin_site.add("mezzanine-worlds-lerobot", "raise RuntimeError('no ffmpeg')\n")
    registry = load_registry(only=["mezzanine-worlds-lerobot"])
    with pytest.raises(PluginError, match=r"is broken: RuntimeError: no ffmpeg \(") as caught:
        registry.get("world", "lerobot")
    assert caught.value.hint == "pip install --upgrade mezzanine-worlds-lerobot"
    assert caught.value.exit_code == 3
    assert "lerobot" not in [known.name for known in registry.not_installed()]


def test_a_known_component_that_was_left_out_says_so(plugin_site, monkeypatch):
    site = plugin_site
    text = site.announce("mezz_worlds", site.world("lerobot"))
    site.add("mezzanine-worlds-lerobot", text)
    with pytest.raises(PluginError, match="is blocked: it was not asked for"):
        load_registry(only=[]).get("world", "lerobot")
    monkeypatch.setenv("MEZZ_PLUGINS", "")
    with pytest.raises(PluginError, match="is blocked: MEZZ_PLUGINS leaves it out") as caught:
        load_registry().get("world", "lerobot")
    assert caught.value.hint == "unset MEZZ_PLUGINS"


def test_a_known_component_that_the_installed_version_lacks_asks_for_an_upgrade(plugin_site):
    plugin_site.add("mezzanine-worlds-lerobot", plugin_site.announce("mezz_worlds"))
    registry = load_registry(only=["mezzanine-worlds-lerobot"])
    with pytest.raises(MissingDependencyError, match=r"the installed version 1\.0") as caught:
        registry.get("world", "lerobot")
    assert caught.value.hint == "pip install --upgrade mezzanine-worlds-lerobot"


def test_somebody_elses_component_of_a_known_name_is_found_all_the_same(plugin_site):
    site = plugin_site
    site.add("mezzanine-worlds-lerobot", "raise RuntimeError('no ffmpeg')\n")
    site.add(A, site.announce("mezz_worlds", site.world("lerobot")))
    registry = load_registry(only=["mezzanine-worlds-lerobot", A])
    assert registry.get("world", "lerobot").distribution == A


def test_every_plugin_hears_of_a_run_even_after_one_that_fails(plugin_site, tmp_path, caplog):
    listener = (
        "from mezzanine_core import hookimpl\n"
        "@hookimpl\ndef mezz_run_started(recipe, out):\n"
        "    (out / __name__).write_text(recipe)\n"
        "@hookimpl\ndef mezz_run_finished(results, error, out):\n"
        "    (out / __name__).write_text(f'{results} {error!r}')\n"
    )
    plugin_site.add(A, listener.replace("(out", "raise OSError('full') or (out"))
    plugin_site.add(B, listener)
    registry = load_registry(only=[A, B])
    registry.run_started("toy_recipe", tmp_path, {"seed": 0})
    assert (tmp_path / "mezz_test_b.plugin").read_text() == "toy_recipe"
    registry.run_finished("toy_recipe", tmp_path, None, ValueError("x"))
    assert (tmp_path / "mezz_test_b.plugin").read_text() == "None ValueError('x')"
    warnings = [each.message for each in caplog.records if each.levelno == logging.WARNING]
    assert warnings == [
        f"plugin {A}:main: mezz_run_started failed: OSError: full",
        f"plugin {A}:main: mezz_run_finished failed: OSError: full",
    ]
