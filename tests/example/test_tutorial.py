"""docs/tutorial.md: its code is that of the example, and its commands print what it says."""

import doctest
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "mezzanine-worlds-hopper"

_BLOCK = re.compile(
    r"(?:^<!-- not run: (?P<excuse>[^\n]+) -->\n)?^```(?P<language>\w+)(?P<head>[^\n]*)\n"
    r"(?P<code>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)
_LOOSELY = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
_BUILT = ("__pycache__", ".*_cache", ".hypothesis", "dist")


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, the file it is a part of, its text, why it is not run."""

    language: str
    title: str | None
    code: str
    excuse: str | None


def blocks() -> list[Block]:
    text = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
    return [
        Block(
            match["language"],
            title[1] if (title := re.search(r'title="([^"]+)"', match["head"])) else None,
            match["code"],
            match["excuse"],
        )
        for match in _BLOCK.finditer(text)
    ]


PARTS = [block for block in blocks() if block.title and block.language != "yaml"]


@pytest.mark.parametrize("block", PARTS, ids=[f"{part.title}" for part in PARTS])
def test_every_block_of_code_is_a_part_of_its_file(block):
    file = (EXAMPLE / block.title).read_text(encoding="utf-8")
    place = 0
    for part in re.split(r"^ *\.\.\.\n", block.code, flags=re.MULTILINE):
        found = file.find(part.strip("\n"), place)
        assert found >= 0, f"{block.title} does not hold, in this order:\n{part}"
        place = found + len(part)


def test_every_block_is_code_of_the_example_or_run_or_printed():
    known = {"sh", "text", "yaml"}
    assert [block for block in blocks() if not block.title and block.language not in known] == []
    after = [
        (before.language, block.language)
        for before, block in zip(blocks(), blocks()[1:], strict=False)
        if block.language == "text"
    ]
    assert set(after) == {("sh", "text")}, "a block of output follows no command"


@pytest.fixture
def shell(tmp_path):
    """Runs a block as a reader would, in a directory beside a clone of the repository."""
    wheels = os.environ.get("MEZZ_TEST_WHEELS")
    if not wheels:
        pytest.skip("needs a clean environment and built wheels: run `nox -s example`")
    shutil.copytree(
        EXAMPLE,
        tmp_path / "mezzanine" / "examples" / EXAMPLE.name,
        ignore=shutil.ignore_patterns(*_BUILT),
    )
    environment = {
        **os.environ,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "PIP_FIND_LINKS": wheels,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "MEZZ_CACHE_DIR": str(tmp_path / "cache"),
        "COLUMNS": "80",
    }

    def run(code):
        return subprocess.run(
            ["bash", "-e", "-c", code],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    return run


def test_the_commands_print_what_is_shown(shell, tmp_path):
    for block in blocks():
        if block.title == "hopper.yml":
            (tmp_path / block.title).write_text(block.code, encoding="utf-8")
    printed = ""
    for block in blocks():
        if block.language == "sh" and not block.excuse:
            done = shell(block.code)
            printed = done.stdout
            assert done.returncode == 0, f"{block.code}\n{printed}"
        if block.language == "text":
            assert doctest.OutputChecker().check_output(block.code, printed, _LOOSELY), (
                f"expected\n{block.code}\nbut this was printed:\n{printed}"
            )
    checked = shell("mezz run latent_dynamics --config hopper.yml --dry-run")
    assert checked.returncode == 0, checked.stdout
