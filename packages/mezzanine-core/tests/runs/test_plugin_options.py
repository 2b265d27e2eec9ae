"""Settings of trackers and executors: where they may stand, and what is said of wrong ones."""

import pytest

from mezzanine_core.config.plugin_options import plugin_settings
from mezzanine_core.config.resolve import resolve
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
    assert plugin_settings(found.options) == {"demanding": {"project": "p", "tags": ()}}
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
    assert plugin_settings(found.options) == {}
    assert not any(name.startswith(("diary", "jsonl")) for name in found.origins)


def test_settings_reach_the_tracker(run, tmp_path):
    settings = {"demanding": {"project": "hops", "tags": ("a", "b")}}
    run(trackers=("demanding@toy_runs", "jsonl"), plugin_settings=settings)
    assert (tmp_path / "out" / "project.txt").read_text() == "hops ('a', 'b')"


def test_settings_of_trackers_do_not_enter_the_fingerprint(resolved_with):
    plain, logged = resolved_with(), resolved_with(log="demanding", demanding_project="p")
    assert plain.payload() == logged.payload()


@pytest.mark.parametrize(
    "given",
    [
        {"executor": "queue", "queue_address": "tcp://a"},
        {"environ": {"MEZZ_EXECUTOR": "queue", "MEZZ_QUEUE_ADDRESS": "tcp://a"}},
        {"file": "executor: queue\nqueue:\n  address: tcp://a\n"},
        {"executor": "queue@toy_runs", "queue.address": "tcp://a"},
    ],
)
def test_a_setting_of_the_executor_can_be_given_like_any_other(resolved_with, given):
    found = resolved_with(**given)
    assert found.options.executor.startswith("queue")
    assert plugin_settings(found.options)["queue"]["address"] == "tcp://a"


def test_executors_that_only_count_their_workers_have_no_settings(resolved_with):
    for name in ("local", "inline"):
        assert plugin_settings(resolved_with(executor=name).options) == {}


def test_a_setting_of_an_executor_that_is_not_chosen_says_how_to(resolved_with):
    with pytest.raises(UnknownNameError) as caught:
        resolved_with(queue_address="tcp://a")
    assert "`--executor queue`" in caught.value.hint


def test_an_executor_that_is_not_there_is_named_with_its_source(resolved_with):
    with pytest.raises(UnknownNameError, match="--executor: there is no executor 'slurm'"):
        resolved_with(executor="slurm")


@pytest.mark.parametrize(("workers", "expected"), [(None, 5), (3, 3)])
def test_settings_and_workers_reach_the_executor(run, toy, workers, expected):
    settings = {"queue": {"address": "tcp://a", "workers": 5}}
    record, _ = run(executor="queue", workers=workers, plugin_settings=settings)
    (heard,) = [said[1] for said in toy[1].HEARD if said[0] == "executor"]
    assert (heard["address"], heard["workers"]) == ("tcp://a", expected)
    assert record.settings["executor"] == "queue"
    assert record.settings["executor_settings"]["address"] == "tcp://a"


def test_the_executor_does_not_enter_the_fingerprint(resolved_with):
    plain = resolved_with()
    assert plain.payload() == resolved_with(executor="queue", queue_address="a").payload()
