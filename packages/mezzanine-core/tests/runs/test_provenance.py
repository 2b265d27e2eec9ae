"""Provenance: the versions that a run depends on, from metadata alone."""

import platform
import subprocess
import sys
import textwrap
from importlib.metadata import version

from mezzanine_core.runs.provenance import OF_INTEREST, versions


def test_python_and_the_platform_are_there():
    found = versions([], [])
    assert platform.python_version() in found["python"]
    assert found["platform"] == platform.platform()


def test_key_libraries_are_there_as_far_as_they_are_installed():
    found = versions([], [])
    for name in ("mezzanine-core", "numpy", "pydantic", "zarr", "zarrs"):
        assert name in OF_INTEREST
        assert found[name] == version(name)


def test_every_plugin_is_there_and_what_the_used_ones_require(plugin_site):
    plugin_site.add_metadata("used-plugin", "", version="1.2", requires=("hypothesis", "absent"))
    plugin_site.add_metadata("idle-plugin", "", version="3.4", requires=("pytest",))
    found = versions(["used-plugin", "Idle_Plugin"], ["used-plugin"])
    assert (found["used-plugin"], found["idle-plugin"]) == ("1.2", "3.4")
    assert found["hypothesis"] == version("hypothesis")
    assert "absent" not in found
    assert "pytest" not in found


def test_requirements_of_extras_and_of_other_platforms_are_left_out(plugin_site):
    plugin_site.add_metadata(
        "used-plugin",
        "",
        requires=(
            "hypothesis; extra == 'test'",
            "pytest; sys_platform == 'amiga'",
            "not a requirement",
            "numpy>=1",
        ),
    )
    found = versions([], ["used-plugin"])
    assert "numpy" in found
    assert not {"hypothesis", "pytest"} & set(found)


def test_what_is_not_installed_is_left_out():
    assert "no-such-distribution" not in versions(
        ["no-such-distribution"], ["no-such-distribution"]
    )


def test_nothing_of_the_environment_is_there(monkeypatch):
    monkeypatch.setenv("API_TOKEN", "hunter2")
    assert "hunter2" not in repr(versions(["pytest"], ["pytest"]))


def test_no_library_is_imported_for_its_version():
    script = textwrap.dedent("""
        import sys
        from mezzanine_core.runs.provenance import versions
        assert "numpy" in versions(["mezzanine-core"], ["mezzanine-core"])
        sys.exit(bool({"numpy", "torch", "zarr", "pydantic"} & set(sys.modules)))
    """)
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
