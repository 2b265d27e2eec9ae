"""A distribution that is installed is seen at once, and one that is removed is gone at once."""

WORLD = "mezzanine-worlds-iphyre"


def announced(environment, name) -> list[str]:
    """The kinds of component that are installed under that name."""
    return [found["kind"] for found in environment.json("list") if found["name"] == name]


def ids(environment) -> list[str]:
    """The plugins that are installed."""
    return [record["id"] for record in environment.json("plugins")]


def test_a_world_comes_with_its_distribution_and_goes_with_it(beside_core, wheels):
    before = ids(beside_core)
    assert announced(beside_core, "iphyre") == []

    beside_core.install(wheels[WORLD])
    assert announced(beside_core, "iphyre") == ["world"]
    assert ids(beside_core) == [*before, f"{WORLD}:iphyre"]
    assert "games" in beside_core.answer("info", "iphyre")
    assert beside_core.mezz("doctor").returncode == 0

    beside_core.pip("uninstall", "--yes", WORLD)
    assert announced(beside_core, "iphyre") == []
    assert ids(beside_core) == before
    gone = beside_core.mezz("info", "iphyre")
    assert gone.returncode == 3
    assert f"hint: pip install {WORLD}\n" in gone.stderr
    assert beside_core.mezz("doctor").returncode == 0


def test_a_plugin_whose_files_are_lost_is_told_from_one_that_was_removed(beside_core, build_plugin):
    beside_core.install(build_plugin("mezz-lost", "from mezzanine_core import hookimpl\n"))
    (package,) = beside_core.root.glob("lib/*/site-packages/mezz_lost/plugin.py")
    package.unlink()
    (record,) = [each for each in beside_core.json("plugins") if each["id"] == "mezz-lost:main"]
    assert record["status"] == "broken"
    assert record["remedy"] == "pip install --force-reinstall mezz-lost"
    assert announced(beside_core, "order") == ["symmetry"]
