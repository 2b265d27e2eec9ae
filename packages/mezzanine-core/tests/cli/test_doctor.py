import json

import pytest


@pytest.fixture
def findings(plugin_site, call, tmp_path, monkeypatch):
    """Runs the doctor with core and the plugins of one distribution, and returns what it found."""
    monkeypatch.setenv("MEZZ_PLUGINS", "mezz-test-a")
    monkeypatch.setenv("MEZZ_CACHE_DIR", str(tmp_path / "cache"))

    def run() -> tuple[int, dict[str, list[dict[str, str]]]]:
        code, out, _ = call("doctor", "--json")
        by_subject: dict[str, list[dict[str, str]]] = {}
        for finding in json.loads(out):
            by_subject.setdefault(finding["subject"], []).append(finding)
        return code, by_subject

    return run


def good(site) -> None:
    site.add("mezz-test-a", site.announce("mezz_worlds"))


def test_a_sound_installation_has_no_problem(plugin_site, findings, tmp_path):
    good(plugin_site)
    code, found = findings()
    assert code == 0
    for subject in ("python", "mezzanine-core", "requirements", "components", "cache", "zarrs"):
        assert [each["level"] for each in found[subject]] == ["ok"], subject
    assert str(tmp_path / "cache") in found["cache"][0]["detail"]
    assert not (tmp_path / "cache").exists()


def test_the_text_ends_with_the_number_of_problems(plugin_site, findings, call):
    good(plugin_site)
    code, out, _ = call("doctor")
    assert code == 0
    assert out.endswith("\n0 problems found.\n")


def test_requirements_that_are_not_met_are_problems(plugin_site, findings):
    site = plugin_site
    text = site.announce("mezz_worlds")
    site.add("mezz-test-a", text, requires=("mezzanine-core", "numpy<1", "no-such-dist"))
    code, found = findings()
    assert code == 1
    remedies = [each["remedy"] for each in found["requirements"]]
    assert remedies == ["pip install 'numpy<1'", "pip install 'no-such-dist'"]
    assert {each["level"] for each in found["requirements"]} == {"problem"}


def test_settings_that_cannot_be_imported_are_a_problem(plugin_site, findings):
    site = plugin_site
    site.add("mezz-test-a", site.announce("mezz_worlds", site.world("toy")))
    code, found = findings()
    assert code == 1
    assert found["world toy"][0]["level"] == "problem"
    assert "needs the module 'absent'" in found["world toy"][0]["detail"]


def test_an_optional_requirement_that_is_missing_is_a_note(plugin_site, findings):
    site = plugin_site
    world = site.world("toy", config="mezzanine_core.config:WorldConfig")
    world = world[:-1] + ", requires=('no-such-dist',))"
    site.add("mezz-test-a", site.announce("mezz_worlds", world))
    code, found = findings()
    assert code == 0
    assert found["world toy"][0]["level"] == "note"
    assert found["world toy"][0]["remedy"] == "pip install 'no-such-dist'"


def test_a_cache_that_cannot_be_written_is_a_problem(plugin_site, findings, monkeypatch, tmp_path):
    good(plugin_site)
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MEZZ_CACHE_DIR", str(tmp_path / "file" / "cache"))
    code, found = findings()
    assert code == 1
    assert found["cache"][0]["level"] == "problem"
    assert "MEZZ_CACHE_DIR" in found["cache"][0]["remedy"]


def test_a_check_that_fails_itself_is_a_problem_and_stops_no_other(
    plugin_site, findings, monkeypatch
):
    good(plugin_site)
    monkeypatch.setenv("MEZZ_CACHE_DIR", "~no-such-user-anywhere/cache")
    code, found = findings()
    assert code == 1
    assert found["cache"][0]["level"] == "problem"
    assert found["zarrs"][0]["level"] == "ok"


def test_a_core_that_is_not_the_installed_one_is_a_problem(plugin_site, findings):
    good(plugin_site)
    plugin_site.add_metadata(
        "mezzanine-core", "[mezzanine]\ncore = mezzanine_core.builtin.plugin\n", version="0.0.9"
    )
    code, found = findings()
    assert code == 1
    assert "but 0.0.9 is installed" in found["mezzanine-core"][0]["detail"]


def test_strict_mode_does_not_keep_the_doctor_from_looking(plugin_site, findings, monkeypatch):
    plugin_site.add("mezz-test-a", "raise RuntimeError\n")
    monkeypatch.setenv("MEZZ_STRICT", "1")
    code, found = findings()
    assert code == 1
    assert found["plugin mezz-test-a:main"][0]["level"] == "problem"
