"""Tunings that are interrupted or killed, with real processes."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from mezzanine_core.runs.history import find_runs

pytestmark = pytest.mark.slow

COMMAND = (
    *("tune", "hill", "--space", "x=1:6:1", "--baseline", "flat.score", "--range", "0.05:0.6"),
    *("--effect", "hill_minus_flat.score", "--cache-dir", "cache", "--out", "out"),
)


@pytest.fixture
def start(registry, clean_environ, tmp_path):
    """Starts the command in a process group of its own; its runs write into ``diary``."""
    started = []

    def popen(*arguments, seconds="0"):
        path = os.pathsep.join([os.environ["PYTHONPATH"], clean_environ["PYTHONPATH"]])
        more = {"HILL_DIARY": "diary", "HILL_SECONDS": seconds, "MEZZ_PLUGINS": "toy-tuning"}
        process = subprocess.Popen(
            [sys.executable, "-m", "mezzanine_core", *COMMAND, *arguments],
            cwd=tmp_path,
            env={**clean_environ, "PYTHONPATH": path, **more},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield popen
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


@pytest.fixture
def diary(tmp_path):
    """What has been run so far: x of each run, and its process."""

    def read(at_least=0):
        path, deadline = tmp_path / "diary", time.monotonic() + 60
        while True:
            text = path.read_text() if path.exists() else ""
            lines = [line.split() for line in text.splitlines()]
            if len(lines) >= at_least:
                return [(float(x), int(pid)) for x, _, pid in lines]
            assert time.monotonic() < deadline
            time.sleep(0.05)

    return read


def ended(tmp_path):
    runs = find_runs([tmp_path / "out" / "trials"])
    return {run.record.config["x"] for run in runs if run.record is not None}


def test_a_tuning_that_is_killed_goes_on_without_running_anything_twice(start, diary, tmp_path):
    process = start(seconds="1")
    diary(at_least=3)
    process.kill()
    process.wait()
    before = ended(tmp_path)
    assert before
    (tmp_path / "diary").unlink()

    process = start()
    out, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    record = json.loads((tmp_path / "out" / "tuning.json").read_text())
    assert sorted(trial["point"]["x"] for trial in record["trials"]) == [1, 2, 3, 4, 5, 6]
    ran = [x for x, _ in diary()]
    assert before.isdisjoint(ran[:-1])
    assert sorted([*before, *ran[:-1]]) == [1, 2, 3, 4, 5, 6]
    assert ran[-1] == 4
    assert "Chosen: x=4" in " ".join(out.split())


def test_ctrl_c_ends_a_parallel_tuning_and_its_workers_and_it_can_go_on(
    start, diary, tmp_path, gone
):
    process = start("--workers", "2", seconds="600")
    workers = [pid for _, pid in diary(at_least=2)]
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert gone(workers)

    process = start("--workers", "2")
    out, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert "Chosen: x=4" in " ".join(out.split())
