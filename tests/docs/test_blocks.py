"""Every block of Python and shell on a page runs, or the page says why not.

The blocks of a page run in order, in one empty directory in which the repository's `configs` lie.
A block with a title is written to a file of that name first; where one of these is a
`pyproject.toml`, what it describes is there as if it were installed. Runs are made small by the
environment, which goes before files and defaults and after flags.
"""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from pages import ROOT, blocks, pages

RUN_ELSEWHERE = {
    "docs/llm_examples.md": "packages/mezzanine-recipes/distill/tests/test_llm_examples.py",
    "docs/tutorial.md": "tests/example/test_tutorial.py",
    "docs/planning.md": "packages/mezzanine-recipes/dynamics/tests/planning/test_docs.py",
}
"""Pages whose blocks a test of a distribution runs."""

SMALL = {
    "MEZZ_N_TRAIN": "60",
    "MEZZ_N_TEST": "40",
    "MEZZ_SEEDS": "0,1",
    "MEZZ_TRAIN_STEPS": "20",
    "MEZZ_BOOTSTRAP": "100",
    "MEZZ_WORKERS": "1",
}

LANGUAGES = ("sh", "python")


def runnable(page):
    return [block for block in blocks(page) if block.language in LANGUAGES and not block.excuse]


def pages_to_run():
    return [page for page in pages() if runnable(page) and page.as_posix() not in RUN_ELSEWHERE]


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    """Latents that the pages share: most of them run the same games."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def workplace(tmp_path, cache, monkeypatch):
    (tmp_path / "configs").symlink_to(ROOT / "configs")
    for name in [name for name in os.environ if name.startswith("MEZZ_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("MEZZ_CACHE_DIR", str(cache))
    return tmp_path


def environment(folder):
    scripts = Path(sys.executable).parent
    path = [folder / "site", folder / "src", folder]
    return {
        **os.environ,
        **SMALL,
        "PATH": os.pathsep.join([str(scripts), os.environ.get("PATH", "")]),
        "PYTHONPATH": os.pathsep.join(map(str, path)),
        "HF_HUB_OFFLINE": "1",
        "OMP_NUM_THREADS": "1",
        "COLUMNS": "100",
    }


def install(folder, pyproject):
    """Leave what pip would leave of a project: its name, its version and its entry points."""
    project = tomllib.loads(pyproject)["project"]
    info = folder / "site" / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir(parents=True)
    needs = "".join(f"Requires-Dist: {each}\n" for each in project["dependencies"])
    head = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    (info / "METADATA").write_text(head + needs)
    lines = [
        line
        for group, entries in project["entry-points"].items()
        for line in (f"[{group}]", *(f"{name} = {target}" for name, target in entries.items()))
    ]
    (info / "entry_points.txt").write_text("\n".join(lines))


def execute(block, folder):
    command = {"python": [sys.executable, "-W", "error", "-c"], "sh": ["bash", "-euc"]}
    done = subprocess.run(
        [*command[block.language], block.code],
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{block.code}\n{done.stdout}\n{done.stderr}"


def lay_out(page, folder):
    """Write the files that a page shows."""
    for block in blocks(page):
        if block.title:
            target = folder / block.title
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(block.code, encoding="utf-8")
            if block.title == "pyproject.toml":
                install(folder, block.code)


@pytest.mark.slow
@pytest.mark.parametrize("page", pages_to_run(), ids=str)
def test_the_blocks_of_a_page_run(page, workplace):
    lay_out(page, workplace)
    for block in runnable(page):
        if not block.title:
            execute(block, workplace)
    if list(workplace.glob("tests/test_*.py")):
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "pytest",
                "-q",
                "-W",
                "error",
                "-p",
                "no:cacheprovider",
                "tests",
            ],
            cwd=workplace,
            env=environment(workplace),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(("page", "test"), RUN_ELSEWHERE.items())
def test_pages_that_are_run_elsewhere_are(page, test):
    assert Path(page).name in (ROOT / test).read_text(encoding="utf-8")


def test_a_block_that_is_not_run_says_why():
    excuses = [block.excuse for page in pages() for block in blocks(page) if block.excuse]
    assert excuses
    assert [excuse for excuse in excuses if len(excuse.split()) < 4] == []
