"""What the short commands import: an import is what makes a command slow to start."""

import subprocess
import sys

import pytest

HEAVY = {
    "torch",
    "transformers",
    "zarr",
    "zarrs",
    "pygame",
    "iphyre",
    "pymunk",
    "numpy",
    "matplotlib",
    "PIL",
    "pydantic",
    "rich",
    "yaml",
    "asyncio",
}

SCRIPT = """
import sys
from mezzanine_core.cli import main
code = main(sys.argv[1:])
print(*sorted({name.partition(".")[0] for name in sys.modules}), file=sys.stderr)
sys.exit(code)
"""


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["--version"], ["list"], ["list", "worlds"], ["list", "--json"], ["plugins"]],
    ids=" ".join,
)
def test_short_commands_import_nothing_heavy(clean_environ, arguments):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *arguments],
        env=clean_environ,
        capture_output=True,
        text=True,
        check=True,
    )
    imported = set(done.stderr.splitlines()[-1].split())
    assert "typer" in imported
    assert imported & HEAVY == set()


def test_help_loads_no_plugin(plugin_site, mezz):
    plugin_site.add("mezz-test-slow", "import time\ntime.sleep(60)\n")
    for arguments in (["--help"], ["cache", "ls"], ["runs", "ls"], ["cache", "--help"]):
        assert mezz(*arguments).returncode == 0
