"""Runs that are interrupted or killed, with real processes."""

import os
import signal

import pytest

from mezzanine_core.errors import OutputDirectoryError
from mezzanine_core.runs.state import is_in_use, read_state


def files(path):
    return sorted(
        file.relative_to(path).as_posix() for file in path.rglob("*") if not file.is_dir()
    )


@pytest.mark.parametrize("where", ["start", "encode", "stage", "end"])
def test_ctrl_c_in_every_stage_is_noted_and_stops_everything(napping, tmp_path, where, gone):
    process, workers = napping(where)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=15)
    assert process.returncode == 130
    assert errors == ""
    assert gone(workers)
    out = tmp_path / "out"
    assert read_state(out).status == "interrupted"
    assert not is_in_use(out)
    assert not (out / "results.json").exists()


def test_a_killed_run_can_be_run_again_and_keeps_what_it_encoded(napping, run, tmp_path, gone):
    process, workers = napping("stage")
    process.kill()
    process.wait()
    assert gone(workers)
    assert read_state(tmp_path / "out").status == "running"
    record, out = run()
    assert record.cache.encoded == 0
    [moved] = (out / "previous").iterdir()
    assert set(files(moved)) == {"figures/norms.txt", "run.json"}


def test_a_directory_of_a_live_run_is_refused(napping, run):
    process, _ = napping("encode")
    with pytest.raises(OutputDirectoryError, match=f"process {process.pid}"):
        run()
