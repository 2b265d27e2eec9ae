"""The toy distribution, installed beside core alone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

TOY_SITE = Path(__file__).parents[1] / "toy_site"


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, in which the toy distribution is the only plugin besides core."""
    for name in [name for name in os.environ if name.startswith("MEZZ_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("MEZZ_PLUGINS", "mezz-toy")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PYTHONPATH", str(TOY_SITE), prepend=os.pathsep)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.syspath_prepend(str(TOY_SITE))
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    return work
