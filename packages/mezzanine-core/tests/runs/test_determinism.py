"""Fixing threads, for runs that must come out the same bit for bit."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from mezzanine_core.builtin.worker import THREAD_VARIABLES
from mezzanine_core.runs.determinism import fix_threads

SITE = Path(__file__).parents[1] / "toy_site"

SCRIPT = textwrap.dedent("""
    import sys
    from pathlib import Path
    import mezzanine_core.cli.rerun, mezzanine_core.cli.run_recipe
    from mezzanine_core.cli import main

    def note():
        Path("loaded.txt").write_text(str("numpy" in sys.modules))

    mezzanine_core.cli.rerun.fix_threads = note
    mezzanine_core.cli.run_recipe.fix_threads = note
    sys.exit(main(sys.argv[1:]))
""")


@pytest.fixture
def toys(clean_environ, tmp_path):
    """Runs the command on the toy distribution, noting whether numpy was loaded too early."""
    path = os.pathsep.join([str(SITE), clean_environ["PYTHONPATH"]])
    environ = {**clean_environ, "MEZZ_PLUGINS": "mezz-toy", "PYTHONPATH": path}

    def call(*arguments):
        command = [sys.executable, "-c", SCRIPT, *arguments]
        subprocess.run(command, env=environ, cwd=tmp_path, check=True)
        note = tmp_path / "loaded.txt"
        return note.read_text() == "True" if note.exists() else None

    return call


def test_every_library_is_told_to_use_one_thread_whatever_the_environment_says(monkeypatch):
    for name in THREAD_VARIABLES:
        monkeypatch.setenv(name, "4")
    fix_threads()
    assert {os.environ[name] for name in THREAD_VARIABLES} == {"1"}


def test_commands_fix_threads_before_numpy_is_loaded(toys, tmp_path):
    run = ("blob_norms", "--out", "out", "--workers", "1", "--deterministic")
    assert toys("run", *run) is False
    (tmp_path / "loaded.txt").unlink()
    assert toys("rerun", "out", "--workers", "1") is False


def test_other_runs_keep_the_threads_that_they_have(toys):
    assert toys("run", "blob_norms", "--out", "out", "--workers", "1") is None
    assert toys("rerun", "out", "--workers", "1") is None
