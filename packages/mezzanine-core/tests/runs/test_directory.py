"""Run directories: which are taken, by one run at a time, and how a run ended."""

import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mezzanine_core.errors import DataError, OutputDirectoryError, PluginError
from mezzanine_core.results import RunRecord
from mezzanine_core.runs import directory as rundir
from mezzanine_core.runs.state import (
    RunState,
    folder_stamp,
    is_in_use,
    is_inside,
    read_state,
    timestamp,
    write_state,
)

ONE = datetime(2026, 7, 31, 13, 0, 0, tzinfo=UTC)
NOON = datetime(2026, 7, 31, 12, 0, 0, 250_000, tzinfo=UTC)
NOON_STAMP = "2026-07-31T12-00-00Z"
FINGERPRINT = "0123456789abcdef" * 4
RUN = ["results.json", "run.json"]


def names(path):
    return sorted(child.name for child in path.iterdir())


# Which directories are taken


def test_the_default_is_a_fresh_directory_named_by_recipe_time_and_fingerprint(
    tmp_path, monkeypatch, claim
):
    monkeypatch.chdir(tmp_path)
    with claim(None) as directory:
        assert directory.path == tmp_path / "runs" / "toy" / f"{NOON_STAMP}-01234567"


def test_default_directories_of_the_same_second_differ(tmp_path, monkeypatch, claim):
    monkeypatch.chdir(tmp_path)
    with claim(None) as first, claim(None) as second:
        assert first.path != second.path
        assert second.moved is None


def test_a_directory_is_made_with_its_parents(tmp_path, claim):
    with claim(tmp_path / "a" / "b") as directory:
        assert directory.path == tmp_path / "a" / "b"
        assert directory.path.is_dir()


def test_an_empty_directory_is_used(tmp_path, claim, tree):
    with claim(tmp_path) as directory:
        assert directory.moved is None
    assert tree(tmp_path) == ["run.json"]


def test_what_file_managers_leave_behind_does_not_count(tmp_path, complete):
    (tmp_path / ".DS_Store").write_bytes(b"")
    complete(tmp_path)
    (tmp_path / "Thumbs.db").write_bytes(b"")
    assert complete(tmp_path, ONE).moved is not None


def test_the_home_directory_is_expanded(tmp_path, monkeypatch, claim):
    monkeypatch.setenv("HOME", str(tmp_path))
    with claim(Path("~/out")) as directory:
        assert directory.path == tmp_path / "out"


def test_an_unknown_home_directory_is_an_error(claim):
    with pytest.raises(OutputDirectoryError, match="nosuchuser"):
        claim(Path("~nosuchuser/out"))


def test_a_file_in_place_of_the_directory_is_an_error(tmp_path, claim):
    (tmp_path / "out").write_text("mine")
    with pytest.raises(OutputDirectoryError, match="out cannot be used") as caught:
        claim(tmp_path / "out")
    assert "--out" in caught.value.hint
    assert caught.value.exit_code == 2
    assert (tmp_path / "out").read_text() == "mine"


def test_a_file_in_place_of_a_parent_is_an_error(tmp_path, claim):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OutputDirectoryError, match="cannot be used"):
        claim(tmp_path / "file" / "out")


@pytest.fixture
def unprivileged(complete):
    """A directory of somebody else's: permissions do not bind the superuser."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        (path / "run").mkdir()
        complete(path / "run")
        path.chmod(0o555)
        (path / "run").chmod(0o555)
        superuser = os.geteuid() == 0
        if superuser:
            os.seteuid(65534)
        try:
            yield path
        finally:
            if superuser:
                os.seteuid(0)
            path.chmod(0o755)
            (path / "run").chmod(0o755)


def test_a_parent_that_cannot_be_written_is_an_error(unprivileged, claim):
    with pytest.raises(OutputDirectoryError, match="Permission denied") as caught:
        claim(unprivileged / "out")
    assert "permissions" in caught.value.hint


def test_a_directory_that_cannot_be_written_is_an_error(unprivileged, claim):
    with pytest.raises(OutputDirectoryError, match="Permission denied"):
        claim(unprivileged / "run")


# One run at a time


def test_a_directory_in_use_is_refused_naming_who_uses_it(tmp_path, claim, complete, tree):
    with claim(tmp_path) as directory:
        directory.announce("a.png").write_text("")
        with pytest.raises(OutputDirectoryError, match=f"process {os.getpid()}") as caught:
            claim(tmp_path, ONE)
        assert "--out" in caught.value.hint
        assert tree(tmp_path) == ["a.png", "run.json"]
        assert is_in_use(tmp_path)
    assert not is_in_use(tmp_path)
    assert complete(tmp_path, ONE).moved is not None


HOLD = textwrap.dedent("""
    import sys, time
    from pathlib import Path
    from mezzanine_core.runs.directory import RunDirectory

    out = Path(sys.argv[1])
    with RunDirectory.claim(out, recipe="toy", fingerprint="f" * 64, command="c") as directory:
        directory.announce("figures/a.png").write_text("a")
        (out / "ready").write_text("")
        directory.adopt()
        print("ready", flush=True)
        time.sleep(600)
""")


@pytest.fixture
def holder(tmp_path):
    """A process that has a run directory."""
    out = tmp_path / "out"
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, out],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "ready\n"
    yield out, process
    process.kill()
    process.communicate()


def test_a_directory_that_another_process_uses_is_refused(holder, claim, tree):
    out, process = holder
    before = tree(out)
    with pytest.raises(OutputDirectoryError, match=f"process {process.pid}"):
        claim(out)
    assert tree(out) == before


def test_a_killed_run_is_moved_aside_whole(holder, complete, tree):
    out, process = holder
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert read_state(out).status == "running"
    assert not is_in_use(out)
    assert tree(complete(out).moved) == ["figures/a.png", "ready", "run.json"]


def test_files_that_a_killed_run_had_not_listed_are_refused(holder, claim):
    out, process = holder
    (out / "who knows").write_text("")
    process.send_signal(signal.SIGKILL)
    process.wait()
    with pytest.raises(OutputDirectoryError, match="who knows"):
        claim(out)


def test_a_folder_that_a_killed_run_had_not_filled_is_its_own(holder, complete, tree):
    out, process = holder
    (out / "figures" / "a.png").unlink()
    process.send_signal(signal.SIGKILL)
    process.wait()
    later = complete(out)
    assert tree(later.moved) == ["ready", "run.json"]
    assert (later.moved / "figures").is_dir()
    assert not (out / "figures").exists()


def test_ctrl_c_is_noted_and_frees_the_directory(holder, complete):
    out, process = holder
    process.send_signal(signal.SIGINT)
    process.wait()
    assert read_state(out).status == "interrupted"
    assert not is_in_use(out)
    assert complete(out).moved is not None


def test_of_two_runs_that_start_at_once_one_gets_the_directory(tmp_path):
    race = textwrap.dedent("""
        import sys, time
        from pathlib import Path
        from mezzanine_core.errors import OutputDirectoryError
        from mezzanine_core.runs.directory import RunDirectory

        print("ready", flush=True)
        sys.stdin.readline()
        try:
            with RunDirectory.claim(
                Path(sys.argv[1]), recipe="toy", fingerprint="f" * 64, command="c"
            ):
                print("got it", flush=True)
                sys.stdin.readline()
        except OutputDirectoryError as error:
            print("refused", flush=True)
    """)
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", race, tmp_path / "out"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for racer in racers:
        racer.stdout.readline()
    for racer in racers:
        racer.stdin.write("go\n")
        racer.stdin.flush()
    answers = sorted(racer.stdout.readline().strip() for racer in racers)
    for racer in racers:
        racer.communicate("done\n")
    assert answers == ["got it", "refused", "refused"]


# What the documents say


def test_a_run_says_from_the_start_what_it_is(tmp_path, claim):
    with claim(tmp_path):
        state = read_state(tmp_path)
        assert (state.status, state.recipe, state.fingerprint) == ("running", "toy", FINGERPRINT)
        assert (state.started, state.ended) == (timestamp(NOON), None)
        assert (state.pid, state.command) == (os.getpid(), "mezz run toy")


def test_a_finished_run_says_so_and_lists_its_files(tmp_path, complete):
    complete(tmp_path, files=("plot.png", "figures/a.png"))
    state = read_state(tmp_path)
    assert (state.status, state.error) == ("finished", None)
    assert datetime.fromisoformat(state.ended).tzinfo is not None
    assert set(state.files) == {"figures/a.png", "plot.png", *RUN}


def test_results_are_read_back_as_they_were(tmp_path, record, complete):
    complete(tmp_path)
    text = (tmp_path / "results.json").read_text()
    assert RunRecord.model_validate_json(text) == record(artifacts=("plot.png",))


def test_a_failed_run_says_why_with_the_traceback_in_a_file(tmp_path, claim):
    with pytest.raises(DataError), claim(tmp_path):
        raise DataError("no data", hint="find some")
    state = read_state(tmp_path)
    assert (state.status, state.error) == ("failed", "no data")
    log = (tmp_path / "error.log").read_text()
    assert "mezz run toy" in log
    assert "test_a_failed_run_says_why" in log
    assert "DataError: no data" in log


def test_an_interrupted_run_says_so(tmp_path, claim):
    with pytest.raises(KeyboardInterrupt), claim(tmp_path):
        raise KeyboardInterrupt
    assert read_state(tmp_path).status == "interrupted"
    assert not (tmp_path / "error.log").exists()


def test_a_second_ctrl_c_does_not_keep_the_first_from_being_noted(tmp_path, monkeypatch, claim):
    def write_slowly(*arguments):
        signal.raise_signal(signal.SIGINT)
        write_state(*arguments)

    def interrupt_twice():
        with claim(tmp_path):
            monkeypatch.setattr(rundir, "write_state", write_slowly)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupt_twice()
    assert read_state(tmp_path).status == "interrupted"
    assert not is_in_use(tmp_path)


def test_the_error_of_a_run_is_not_hidden_by_a_disk_that_is_full(tmp_path, caplog, claim):
    def fail_on_a_full_disk():
        with claim(tmp_path):
            # No document can be written any more.
            (tmp_path / ".run.json.tmp").mkdir()
            (tmp_path / ".error.log.tmp").mkdir()
            raise DataError("no data")

    with pytest.raises(DataError, match="no data"):
        fail_on_a_full_disk()
    assert "cannot note" in caplog.text
    assert not is_in_use(tmp_path)


def test_files_are_listed_before_they_are_written(tmp_path, claim):
    with claim(tmp_path) as directory:
        path = directory.announce("figures/a.png")
        assert read_state(tmp_path).files == ("figures/a.png",)
        assert path == tmp_path / "figures" / "a.png"
        assert not path.exists()


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../a", "a/../../b", "/etc/passwd", "run.json", "previous/a"]
)
def test_artifacts_stay_inside_the_directory_and_off_its_documents(tmp_path, name, claim):
    with claim(tmp_path) as directory, pytest.raises(PluginError, match="artifact"):
        directory.announce(name)


def test_a_state_is_either_the_earlier_or_the_later_one_whenever_it_is_read(tmp_path):
    state = RunState(
        recipe="toy", fingerprint=FINGERPRINT, started=timestamp(NOON), pid=1, command="c"
    )
    write_state(tmp_path, state)
    writer = subprocess.Popen(
        [
            sys.executable,
            "-c",
            textwrap.dedent("""
                import sys
                from pathlib import Path
                from mezzanine_core.runs.state import read_state, write_state
                out = Path(sys.argv[1])
                state = read_state(out)
                while True:
                    write_state(out, state.model_copy(update={"files": ("a" * 50_000,)}))
                    write_state(out, state)
            """),
            tmp_path,
        ]
    )
    try:
        deadline = time.monotonic() + 1.5
        sizes = set()
        while time.monotonic() < deadline or len(sizes) < 2:
            assert time.monotonic() < deadline + 30
            found = read_state(tmp_path)
            assert found is not None
            sizes.add(sum(map(len, found.files)))
        assert sizes == {0, 50_000}
    finally:
        writer.kill()
        writer.wait()


@given(st.datetimes(timezones=st.just(UTC), min_value=datetime(1970, 1, 1)))
def test_folder_names_sort_as_the_times_do(moment):
    later = max(moment, NOON)
    earlier = min(moment, NOON)
    assert folder_stamp(timestamp(earlier)) <= folder_stamp(timestamp(later))
    assert ":" not in folder_stamp(timestamp(moment))


@pytest.mark.parametrize(("name", "inside"), [("a", True), ("a/b", True), ("..", False)])
def test_paths_inside(name, inside):
    assert is_inside(name) is inside
