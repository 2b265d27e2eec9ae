import pytest
from hypothesis import given
from hypothesis import strategies as st

from mezzanine_core.errors import ConfigError
from mezzanine_core.plugins import load_registry
from mezzanine_core.scaffold import check_free, choose_names
from mezzanine_core.specs import KINDS, Spec


@pytest.mark.parametrize(
    ("kind", "given", "name", "distribution", "stem"),
    [
        ("world", "hopper", "hopper", "mezzanine-worlds-hopper", "Hopper"),
        ("world", "two-legs", "two_legs", "mezzanine-worlds-two-legs", "TwoLegs"),
        (
            "symmetry",
            "turn_symmetry",
            "turn_symmetry",
            "mezzanine-symmetries-turn-symmetry",
            "Turn",
        ),
        ("encoder", "x3d", "x3d", "mezzanine-encoders-x3d", "X3d"),
    ],
)
def test_all_names_follow_from_one(kind, given, name, distribution, stem):
    names = choose_names(kind, given)
    assert (names.name, names.distribution, names.stem) == (name, distribution, stem)
    assert names.package == distribution.replace("-", "_")


def test_the_distribution_may_have_another_prefix():
    names = choose_names("encoder", "mean", "Acme.Vision_tools")
    assert (names.distribution, names.package) == ("acme-vision-tools", "acme_vision_tools")


@given(
    name=st.from_regex(r"\A[a-z][a-z0-9]{0,9}(_[a-z0-9]{1,9}){0,2}\Z"), kind=st.sampled_from(KINDS)
)
def test_a_name_that_is_taken_is_one_that_a_spec_may_have(name, kind):
    try:
        names = choose_names(kind, name)
    except ConfigError:
        return
    assert names.package.isidentifier()
    assert names.stem.isidentifier()
    for its_kind, its_name in names.components:
        assert Spec(its_kind, its_name, "", "a:B", "a:B").name == its_name


@pytest.mark.parametrize(
    ("name", "says", "suggests"),
    [
        ("MyHopper", "'MyHopper' cannot be the name of a world", "my_hopper"),
        ("2d", "'2d' cannot be the name", "my_world"),
        ("a__b", "'a__b' cannot be the name", "a_b"),
        ("my world!", "'my world!' cannot be the name", "my_world"),
        ("", "'' cannot be the name", "my_world"),
        ("Été", "'Été' cannot be the name", "ete"),
        ("../evil", "'../evil' cannot be the name", "evil"),
        ("lambda", "a word of Python's own", "my_lambda"),
        ("encoders", "a kind of component", "my_encoders"),
        ("testament", "pytest would take its classes for tests", "test"),
        ("a" * 25, "has 25 letters; at most 24", "flag"),
        ("iphyre", "is one of mezzanine-worlds-iphyre", "another"),
    ],
)
def test_a_name_that_cannot_be_had_is_refused_with_a_better_one(name, says, suggests):
    with pytest.raises(ConfigError, match=says) as caught:
        choose_names("world", name)
    assert suggests in caught.value.hint


def test_a_class_of_core_is_not_hidden_by_one_of_the_package():
    with pytest.raises(ConfigError, match="would be called GroupSymmetry"):
        choose_names("symmetry", "group")
    with pytest.raises(ConfigError, match="would be called ComponentConfig"):
        choose_names("tracker", "component")
    assert choose_names("world", "group").stem == "Group"


@pytest.mark.parametrize(
    ("distribution", "says"),
    [
        ("mezzanine", "another project on PyPI"),
        ("Mezzanine_Recipes", "another project on PyPI"),
        ("mezzanine-core", "one of Mezzanine's own"),
        ("mezzanine.worlds.iphyre", "one of Mezzanine's own"),
        ("json", "would hide Python's own"),
        ("lambda", "would hide Python's own"),
        ("tests", "mistaken for its tests"),
        ("3d-worlds", "a letter first"),
        ("a b", "a letter first"),
        ("x-", "a letter first"),
        ("../evil", "a letter first"),
        ("a" * 46, "it has 46 letters, and at most 45"),
    ],
)
def test_a_distribution_that_cannot_be_had_is_refused(distribution, says):
    with pytest.raises(ConfigError, match=says) as caught:
        choose_names("world", "hopper", distribution)
    assert "--dist" in caught.value.hint


def test_what_is_installed_is_not_taken_again(plugin_site):
    plugin_site.add("mezz-test-a", plugin_site.announce("mezz_worlds", plugin_site.world("hopper")))
    registry = load_registry(only=["mezz-test-a"])
    check_free(choose_names("world", "skipper"), registry)
    check_free(choose_names("encoder", "hopper"), registry)
    with pytest.raises(ConfigError, match="there is a world 'hopper' already, of mezz-test-a"):
        check_free(choose_names("world", "hopper"), registry)
    with pytest.raises(ConfigError, match=r"mezz-test-a 1\.0 is installed already") as caught:
        check_free(choose_names("world", "skipper", "mezz-test-a"), registry)
    assert "pip uninstall mezz-test-a" in caught.value.hint
    with pytest.raises(ConfigError, match=r"pluggy .* is installed already") as caught:
        check_free(choose_names("world", "skipper", "pluggy"), registry)
    assert "uninstall" not in caught.value.hint


def test_the_toy_world_of_a_recipe_is_not_taken_again_either(plugin_site):
    toy = plugin_site.world("probe_toy")
    plugin_site.add("mezz-test-a", plugin_site.announce("mezz_worlds", toy))
    registry = load_registry(only=["mezz-test-a"])
    with pytest.raises(ConfigError, match="there is a world 'probe_toy' already"):
        check_free(choose_names("recipe", "probe"), registry)


def test_an_import_package_that_is_there_is_not_hidden(plugin_site):
    plugin_site.write("acme_lab/__init__.py", "")
    with pytest.raises(
        ConfigError, match=r"an import package acme_lab already, in .*site"
    ) as caught:
        check_free(choose_names("world", "hopper", "acme-lab"), load_registry(only=[]))
    assert "--dist" in caught.value.hint
