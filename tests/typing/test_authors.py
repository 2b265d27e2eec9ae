"""What strict type checking says of plugins: nothing of a sound one, and each fault at its line.

A line with a fault ends in ``# error: [code] words of the message``.
"""

import re
import subprocess
import sys
from pathlib import Path

import pytest

CASES = sorted(Path(__file__).with_name("cases").glob("*.py"))
MARKER = re.compile(r"  # error: \[([\w-]+)\] (.+)$")
REPORT = re.compile(r"([^:]+):(\d+): error: (.+)  \[([\w-]+)\]$")


@pytest.fixture(scope="module")
def errors(tmp_path_factory):
    """What mypy finds, with the settings of an author who has none but ``strict``."""
    folder = tmp_path_factory.mktemp("mypy")
    (folder / "mypy.ini").write_text("[mypy]\nstrict = true\n")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--no-pretty", "--cache-dir", "cache", *map(str, CASES)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    found = [REPORT.match(line) for line in done.stdout.splitlines()]
    return [(Path(each[1]).name, int(each[2]), each[4], each[3]) for each in found if each]


@pytest.mark.parametrize("case", CASES, ids=[case.stem for case in CASES])
def test_every_fault_is_found_where_it_is_and_nothing_else_is(errors, case):
    lines = case.read_text(encoding="utf-8").splitlines()
    marked = [(number, MARKER.search(line)) for number, line in enumerate(lines, 1)]
    expected = {(number, each[1]): each[2] for number, each in marked if each}
    found = [(line, code, said) for name, line, code, said in errors if name == case.name]
    assert {(line, code) for line, code, _ in found} == set(expected), found
    for line, code, said in found:
        assert expected[line, code] in said, line


def test_the_sound_plugin_is_the_only_one_without_a_fault():
    faultless = [
        case.stem
        for case in CASES
        if not any(map(MARKER.search, case.read_text(encoding="utf-8").splitlines()))
    ]
    assert faultless == ["sound"]
