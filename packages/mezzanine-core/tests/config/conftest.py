"""The installed toy distribution, as the loader finds it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mezzanine_core.plugins import Registry, load_registry

TOY_SITE = Path(__file__).parents[1] / "toy_site"


@pytest.fixture(scope="module")
def registry() -> Iterator[Registry]:
    """A registry with the toy distribution's components besides those of core."""
    sys.path.insert(0, str(TOY_SITE))
    try:
        yield load_registry(only=["mezz-toy"])
    finally:
        sys.path.remove(str(TOY_SITE))
