"""The process of the command line: Ctrl-C at its very start and end, streams, odd bytes."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mezzanine_core.cli import main

MEZZ = [sys.executable, "-m", "mezzanine_core"]
FULL = pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")

AT_START = """
import importlib.abc, os, signal, sys
class Interrupt(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == {module!r}:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupt())
"""
AT_END = """
import atexit, os, signal
atexit.register(lambda: (os.kill(os.getpid(), signal.SIGINT), sum(range(100_000))))
"""


@pytest.mark.parametrize("module", ["typer", "mezzanine_core.cli.app"])
def test_ctrl_c_while_modules_are_imported_exits_with_130_and_one_line(plugin_site, mezz, module):
    plugin_site.write("sitecustomize.py", AT_START.format(module=module))
    done = mezz("list")
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "interrupted\n")


def test_ctrl_c_after_the_command_changes_nothing(plugin_site, mezz):
    plugin_site.write("sitecustomize.py", AT_END)
    done = mezz("--version")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_caller_of_main_keeps_its_ctrl_c(capsys):
    before = signal.getsignal(signal.SIGINT)
    assert main(["--version"]) == 0
    assert signal.getsignal(signal.SIGINT) is before


@pytest.fixture
def redirected(toy):
    """Runs a command with its streams redirected by the shell; what stderr got comes back."""

    def run(redirection, *arguments):
        return subprocess.run(
            ["sh", "-c", f'exec "$@" {redirection}', "sh", *MEZZ, *arguments],
            capture_output=True,
            text=True,
            check=False,
        )

    return run


RUN = ["run", "blob_norms", "--workers", "1", "--out", "out"]


@pytest.mark.parametrize("arguments", [["list"], RUN], ids=["list", "run"])
@pytest.mark.parametrize("redirection", [">&-", "<&- >&-"])
def test_a_command_whose_output_was_closed_does_its_work(redirected, arguments, redirection):
    done = redirected(redirection, *arguments)
    assert (done.returncode, done.stderr) == (0, "")


@FULL
@pytest.mark.parametrize("arguments", [["list"], RUN], ids=["list", "run"])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_output_that_cannot_be_written_is_no_bug(
    redirected, monkeypatch, toy, arguments, unbuffered
):
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    done = redirected(">/dev/full", *arguments)
    assert done.returncode == 1
    assert done.stderr.startswith("error: cannot write the output: No space left on device\n")
    assert len(done.stderr.splitlines()) == 2
    assert (toy / "out" / "results.json").exists() == (arguments == RUN)


@pytest.mark.parametrize("command", [["list"], RUN, [*RUN, "--dry-run"]])
def test_main_works_without_a_stdout(toy, monkeypatch, command):
    monkeypatch.setattr(sys, "stdout", None)
    assert main(command) == 0


def test_arguments_that_are_not_text_are_recorded_escaped(toy):
    odd = os.fsdecode(b"bad\xff")
    done = subprocess.run(
        [*MEZZ, "run", "blob_norms", "--workers", "1", "--out", odd, "--note", odd],
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    results = json.loads((toy / odd / "results.json").read_text(encoding="utf-8"))
    assert results["settings"]["command"].endswith(r"--out 'bad\xff' --note 'bad\xff'")
    assert results["config"]["world"]["note"] == r"bad\xff"
    state = json.loads((toy / odd / "run.json").read_text(encoding="utf-8"))
    assert (state["status"], state["command"]) == ("finished", results["settings"]["command"])


def test_a_failed_run_with_arguments_that_are_not_text_says_why(toy):
    odd = os.fsdecode(b"\xff")
    done = subprocess.run(
        [*MEZZ, "run", "blob_norms", "--note", "bug", "--out", odd],
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith(b"error: the run failed: ZeroDivisionError")
    assert r"--out '\xff'" in (toy / odd / "error.log").read_text(encoding="utf-8")


def test_a_cache_directory_whose_name_is_not_text_is_refused(toy):
    done = subprocess.run(
        [*MEZZ, *RUN, "--cache-dir", os.fsdecode(b"x\xff")], capture_output=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.startswith(rb"error: the cache directory x\xff cannot be used: its name is ")
    assert not (toy / "out").exists()


def test_a_name_that_is_utf_8_is_recorded_as_such_in_any_locale(toy):
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run(
        [*MEZZ, "run", "blob_norms", "--workers", "1", "--out", "année"],
        env={**os.environ, **plain},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    results = json.loads((toy / "année" / "results.json").read_text(encoding="utf-8"))
    assert results["settings"]["command"].endswith("--out 'année'")


def test_a_working_directory_that_was_deleted_is_said_to_be(toy):
    (toy / "gone").mkdir()
    done = subprocess.run(
        ["sh", "-c", 'cd gone && rmdir ../gone && exec "$@"', "sh", *MEZZ, *RUN],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: the working directory no longer exists\nhint: ")


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        (["run", "blob_norms", "--n-train"], "mezz run blob_norms"),
        (["run", "blob_norms", "--out"], "mezz run blob_norms"),
        (["cache", "ls", "--cache-dir"], "mezz cache ls"),
    ],
)
def test_a_missing_value_points_to_the_help_of_its_command(toy, call, arguments, command):
    code, _, err = call(*arguments)
    assert code == 2
    assert f"hint: `{command} --help` shows what it takes." in err


@pytest.mark.parametrize("flag", ["--out", "--cache-dir"])
def test_a_directory_without_a_name_is_refused(toy, call, flag):
    code, _, err = call("run", "blob_norms", flag, "")
    assert code == 2
    assert err.startswith(f"error: {flag}: the name is empty")
    assert list(toy.iterdir()) == []
