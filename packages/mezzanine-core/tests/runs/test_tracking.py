"""Several trackers as one."""

from pathlib import Path

import pytest

from mezzanine_core.builtin.noop import NoopConfig, NoopTracker
from mezzanine_core.runs.tracking import Trackers
from mezzanine_core.trackers import Tracker

CALLS = [
    ("start", ("toy", Path("out"), {"seed": 0})),
    ("log", ({"loss": 0.5}, 3)),
    ("artifact", (Path("out/plot.png"),)),
    ("finish", ({"metrics": {}},)),
]


class Recorder(Tracker):
    """Keeps what it is told; fails where it is told to."""

    def __init__(self, failing=None, error=None):
        self.calls = []
        self._failing = failing
        self._error = error

    def _take(self, name, *arguments):
        self.calls.append((name, arguments))
        if name == self._failing:
            raise self._error

    def start(self, recipe, out, config):
        self._take("start", recipe, out, config)

    def log(self, values, step=None):
        self._take("log", values, step)

    def artifact(self, path):
        self._take("artifact", path)

    def finish(self, results):
        self._take("finish", results)


def drive(tracker):
    for name, arguments in CALLS:
        getattr(tracker, name)(*arguments)


def test_every_tracker_is_told_everything():
    first, second = Recorder(), Recorder()
    drive(Trackers({"first": first, "second": second}))
    assert first.calls == second.calls == CALLS


@pytest.mark.parametrize("position", range(len(CALLS)))
@pytest.mark.parametrize("error", [ValueError("no quota"), SystemExit(3)])
def test_a_tracker_that_fails_is_reported_once_and_left_out(position, error, caplog):
    failing, sound = Recorder(CALLS[position][0], error), Recorder()
    tracker = Trackers({"flaky": failing, "sound": sound})
    drive(tracker)
    drive(tracker)
    assert failing.calls == CALLS[: position + 1]
    assert sound.calls == CALLS + CALLS
    [message] = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert "flaky" in message
    assert str(error) in message


def test_ctrl_c_is_no_failure_of_a_tracker():
    tracker = Trackers({"slow": Recorder("log", KeyboardInterrupt())})
    with pytest.raises(KeyboardInterrupt):
        drive(tracker)


def test_no_trackers_and_the_one_that_logs_nothing_take_everything(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    drive(Trackers({}))
    drive(NoopTracker(NoopConfig()))
    assert list(tmp_path.iterdir()) == []
