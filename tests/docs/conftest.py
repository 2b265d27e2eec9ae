"""Fixtures of the tests of the documentation; they need all distributions installed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# The modules that make the site, and those that the tests here share.
sys.path[:0] = [str(ROOT / "docs" / "site"), str(Path(__file__).parent)]


@pytest.fixture(scope="session", autouse=True)
def _alongside() -> Iterator[None]:
    """Make examples, and what cannot be installed beside the others, known for their settings."""
    from alongside import made_known, with_versions_of_its_own

    examples = [found.parent for found in ROOT.glob("examples/*/pyproject.toml")]
    with made_known([*with_versions_of_its_own(ROOT), *examples]):
        yield


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site: that of MEZZ_TEST_SITE, where it was built already, or one built here."""
    if built := os.environ.get("MEZZ_TEST_SITE"):
        return Path(built)
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder
