import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from mezzanine_core import __version__
from mezzanine_core.cache import LatentCache

MEZZ = [sys.executable, "-m", "mezzanine_core"]


def test_the_version_is_that_of_core(mezz):
    done = mezz("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"mezzanine-core {__version__}\n", "")


@pytest.mark.parametrize("group", [[], ["cache"], ["runs"]])
def test_a_group_without_a_command_prints_its_help(call, group):
    code, out, err = call(*group)
    assert (code, err) == (0, "")
    assert out == call(*group, "--help")[1]
    assert "Commands:" in out


def test_the_help_of_a_command_is_wrapped_not_cut(plugin_site, mezz):
    summary = "A recipe whose summary is longer than what fits beside its name in eighty columns"
    spec = f"Spec(kind='recipe', name='toy', summary={summary!r}, config='a:B', factory='a:B')"
    plugin_site.add("mezz-test-a", plugin_site.announce("mezz_recipes", spec))
    done = mezz("run", "--help", env={"MEZZ_PLUGINS": "mezz-test-a"})
    assert f"toy {summary}" in " ".join(done.stdout.split())


def test_a_group_without_any_command_has_help_all_the_same(mezz):
    done = mezz("run", env={"MEZZ_PLUGINS": ""})
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Usage: mezz run ")


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["lits"], "'list'"),
        (["list_adaptors"], "'list-adapters'"),
        (["list", "wrlds"], "'worlds'"),
        (["cache", "verfy"], "'verify'"),
        (["list", "--jsn"], "--json"),
        (["cache", "ls", "--cache_dri", "x"], "--cache-dir"),
    ],
)
def test_a_misspelt_command_or_option_is_answered_with_the_one_that_was_meant(
    mezz, arguments, meant
):
    done = mezz(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ")
    assert f"hint: Did you mean {meant}? " in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "arguments", [["info"], ["info", "a", "b"], ["cache", "ls", "--cache-dir"], ["cache", "rm"]]
)
def test_arguments_that_are_missing_or_too_many_are_usage_errors(mezz, arguments):
    done = mezz(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ")
    assert "hint: `mezz " in done.stderr


def test_dashes_and_underscores_are_alike_in_commands_and_flags(call, tmp_path):
    dashes = call("cache", "ls", "--cache-dir", str(tmp_path))
    assert dashes[0] == 0
    assert call("cache", "ls", "--cache_dir", str(tmp_path)) == dashes
    assert call("list_encoders") == call("list-encoders")


@pytest.mark.parametrize(
    ("arguments", "env"),
    [
        (["--debug", "info", "no_such_thing"], {}),
        (["info", "--debug", "no_such_thing"], {}),
        (["info", "no_such_thing", "--debug"], {}),
        (["info", "no_such_thing"], {"MEZZ_DEBUG": "1"}),
    ],
)
def test_the_traceback_is_shown_when_asked_for_anywhere(mezz, arguments, env):
    done = mezz(*arguments, env=env)
    assert done.returncode == 2
    assert "Traceback (most recent call last)" in done.stderr
    assert "error: there is no component 'no_such_thing'" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "env"),
    [(["info", "no_such_thing"], {"MEZZ_DEBUG": "0"}), (["info", "--", "--debug"], {})],
)
def test_no_traceback_is_shown_otherwise(mezz, arguments, env):
    done = mezz(*arguments, env=env)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def broken_settings(site, statement: str) -> None:
    """Install a world whose settings have a default that does something when it is asked for."""
    package = site.add(
        "mezz-test-bug",
        site.announce("mezz_worlds", site.world("buggy", config="mezz_test_bug.config:Config")),
    )
    site.write(
        f"{package}/config.py",
        "from pydantic import Field\nfrom mezzanine_core.config import WorldConfig\n"
        f"def default():\n    {statement}\n"
        "class Config(WorldConfig):\n    size: int = Field(default_factory=default)\n",
    )


def test_an_error_that_nobody_foresaw_is_a_bug_of_whoever_raised_it(plugin_site, mezz):
    broken_settings(plugin_site, "raise KeyError('[bold]lost[/bold]')")
    done = mezz("info", "buggy")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [
        "error: this is a bug in mezz-test-bug: KeyError: '[bold]lost[/bold]'",
        "hint: Run again with --debug for the traceback. Please report it with the traceback.",
    ]
    assert "config.py" in mezz("info", "buggy", "--debug").stderr


def test_a_plugin_that_exits_in_the_middle_of_a_command_does_not_look_like_success(
    plugin_site, mezz
):
    broken_settings(plugin_site, "import sys; sys.exit(0)")
    done = mezz("info", "buggy")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: this is a bug in mezz-test-bug: SystemExit: 0\n")


def test_an_interrupt_exits_with_130_and_one_line(plugin_site, clean_environ):
    started = plugin_site.root / "started"
    broken_settings(
        plugin_site, f"open({str(started)!r}, 'w').close(); import time; time.sleep(60)"
    )
    process = subprocess.Popen(
        [*MEZZ, "info", "buggy"], env=clean_environ, stdout=-1, stderr=-1, text=True
    )
    deadline = time.monotonic() + 30
    while not started.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (130, "", "interrupted\n")


def test_an_interrupt_at_a_question_exits_with_130_and_deletes_nothing(tmp_path, clean_environ):
    with LatentCache(tmp_path / "cache").writer("ab" * 32, 2, card={"name": "toy"}) as writer:
        writer.append(np.zeros((1, 16), np.uint8), np.ones((1, 2), np.float32))
    process = subprocess.Popen(
        [*MEZZ, "cache", "rm", "ab", "--cache-dir", str(tmp_path / "cache")],
        env=clean_environ,
        stdin=-1,
        stdout=-1,
        stderr=-1,
    )
    assert process.stdout is not None
    asked = b""
    while not asked.endswith(b"[y/N]: "):
        asked += process.stdout.read1(1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert (process.returncode, err.decode().strip()) == (130, "interrupted")
    assert len(LatentCache(tmp_path / "cache").ls()) == 1


def test_a_reader_that_goes_away_is_no_error(clean_environ):
    process = subprocess.Popen([*MEZZ, "list"], env=clean_environ, stdout=-1, stderr=-1)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    said = process.stderr.read().decode()
    process.stderr.close()
    assert process.wait(timeout=30) == 0
    assert "rror" not in said


def test_characters_that_the_terminal_does_not_have_are_escaped(plugin_site, mezz):
    site = plugin_site
    site.add("mezz-test-a", site.announce("mezz_worlds", site.world("toy", summary="Δt → 世界")))
    done = mezz("list", "worlds", env={"PYTHONIOENCODING": "latin-1"})
    assert done.returncode == 0
    assert r"\u0394t \u2192 \u4e16\u754c" in done.stdout


COMPLETION = {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("mezz li", {"list", "list-adapters", "list-encoders", "list-symmetries"}),
        ("mezz list wo", {"worlds"}),
        ("mezz cache v", {"verify"}),
        ("mezz list --j", {"--json"}),
        ("mezz info factor", {"factorization"}),
    ],
)
def test_the_shell_completes_commands_options_and_names(mezz, words, offered):
    done = mezz(
        env={
            "_MEZZ_COMPLETE": "complete_bash",
            "COMP_WORDS": words,
            "COMP_CWORD": str(len(words.split()) - 1),
        }
    )
    assert done.returncode == 0
    assert set(done.stdout.split()) == offered


def test_completion_is_shown_and_installed(mezz, clean_environ):
    shown = mezz("--show-completion", "bash", env=COMPLETION)
    assert shown.returncode == 0
    assert "complete -o default -F _mezz_completion mezz" in shown.stdout
    assert mezz("--install-completion", "bash", env=COMPLETION).returncode == 0
    assert "mezz" in (Path(clean_environ["HOME"]) / ".bashrc").read_text()
