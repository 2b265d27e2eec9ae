"""What is written passes the linter it is configured for, whatever it is called."""

import subprocess
import sys

import pytest

from mezzanine_core.scaffold import Details, choose_names, render_package, write_package
from mezzanine_core.scaffold.names import LONGEST_DISTRIBUTION, LONGEST_NAME
from mezzanine_core.scaffold.rendering import LONGEST_DESCRIPTION
from mezzanine_core.specs import KINDS

LONG = "a" * LONGEST_NAME
NAMES = {
    "shortest": ("x", "y", {}),
    "typical": ("hopper", None, {}),
    "longest": (LONG, "b" * LONGEST_DISTRIBUTION, {"description": "d" * LONGEST_DESCRIPTION}),
    "quoted": ("thread_pool", None, {"description": 'A "quoted" \\ word', "author": "O'Hara"}),
    "last": ("zz", "zz", {"description": 'It\'s "both"'}),
}


@pytest.mark.parametrize("case", NAMES)
def test_packages_are_formatted_and_without_complaint(case, tmp_path):
    name, distribution, details = NAMES[case]
    for kind in KINDS:
        names = choose_names(kind, name, distribution)
        write_package(tmp_path / kind, render_package(names, Details(**details)))
    for command in (["check"], ["format", "--diff"]):
        ruff = [sys.executable, "-m", "ruff", *command, "--no-cache", str(tmp_path)]
        done = subprocess.run(ruff, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
