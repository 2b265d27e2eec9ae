"""Settings of trackers: where they may stand, and what is said of wrong ones."""

import pytest

from mezzanine_core.config.resolve import resolve
from mezzanine_core.config.tracker_options import tracker_settings
from mezzanine_core.errors import ConfigError, UnknownNameError


@pytest.fixture
def resolved_with(toy, tmp_path):
    """Resolves ``point_norms`` with some flags, a file and an environment."""

    def call(file=None, environ=None, **flags):
        path = None
        if file is not None:
            path = tmp_path / "config.yml"
            path.write_text(file)
        return resolve(toy[0], "point_norms", file=path, environ=environ, flags=flags)

    return call


@pytest.mark.parametrize(
    ("given", "origin"),
    [
        ({"demanding_project": "p"}, "flag --demanding-project"),
        ({"demanding.project": "p"}, "flag --demanding.project"),
        ({"environ": {"MEZZ_DEMANDING_PROJECT": "p"}}, "environment MEZZ_DEMANDING_PROJECT"),
        ({"environ": {"MEZZ_DEMANDING__PROJECT": "p"}}, "environment MEZZ_DEMANDING__PROJECT"),
        ({"file": "demanding:\n  project: p\n"}, "config.yml:2"),
        ({"file": "demanding_project: p\n"}, "config.yml:1"),
    ],
)
def test_a_setting_of_a_tracker_can_be_given_like_any_other(resolved_with, given, origin):
    found = resolved_with(log="demanding", **given)
    assert tracker_settings(found.options) == {"demanding": {"project": "p", "tags": ()}}
    assert found.origins["demanding.project"].endswith(origin)


def test_the_trackers_of_the_strongest_source_have_settings(resolved_with):
    file = "log: [demanding]\ndemanding: {project: p}\n"
    assert resolved_with(file).options.log == ("demanding",)
    with pytest.raises(UnknownNameError, match="demanding"):
        resolved_with(file, log="diary")


def test_the_last_part_alone_names_no_setting_of_a_tracker(resolved_with):
    with pytest.raises(ConfigError, match="--project: there is no such flag"):
        resolved_with(log="demanding", demanding_project="p", project="q")


def test_a_setting_of_a_tracker_that_is_not_logged_to_says_how_to(resolved_with):
    with pytest.raises(UnknownNameError) as caught:
        resolved_with(demanding_project="p")
    assert "`--log demanding`" in caught.value.hint


def test_a_required_setting_of_a_tracker_is_asked_for(resolved_with):
    with pytest.raises(ConfigError, match=r"demanding\.project.* is required"):
        resolved_with(log="demanding")


def test_trackers_without_settings_add_none(resolved_with):
    found = resolved_with(log="diary,jsonl,none")
    assert tracker_settings(found.options) == {}
    assert not any(name.startswith(("diary", "jsonl")) for name in found.origins)


def test_settings_reach_the_tracker(run, tmp_path):
    settings = {"demanding": {"project": "hops", "tags": ("a", "b")}}
    run(trackers=("demanding@toy_runs", "jsonl"), tracker_settings=settings)
    assert (tmp_path / "out" / "project.txt").read_text() == "hops ('a', 'b')"


def test_settings_of_trackers_do_not_enter_the_fingerprint(resolved_with):
    plain, logged = resolved_with(), resolved_with(log="demanding", demanding_project="p")
    assert plain.payload() == logged.payload()
