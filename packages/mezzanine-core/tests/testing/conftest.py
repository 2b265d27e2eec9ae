"""Fixtures of the tests of the laws: components that break them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

import pytest

from mezzanine_core.plugins import Registry, load_registry
from mezzanine_core.testing import Case, Law, Outcome, RecipeCase, Subject
from mezzanine_core.testing.checking import outcome_of

SITE = Path(__file__).parent / "toy_site"


@pytest.fixture
def faulty(monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    """The plugins of the faulty distribution, whose modules are forgotten afterwards."""
    monkeypatch.syspath_prepend(str(SITE))
    yield load_registry(only=["mezz-faulty"])
    for name in [name for name in sys.modules if name.partition(".")[0] == "mezz_faulty"]:
        del sys.modules[name]


Make = Callable[..., Case]


@pytest.fixture
def case(faulty: Registry, tmp_path: Path) -> Make:
    """A component of the faulty distribution as a case."""

    def make(kind: str, settings: dict[str, Any], *, name: str = "", **given: Any) -> Case:
        subject = Subject(name or f"faulty_{kind}", settings=settings, **given)
        lenient = given.pop("lenient", False)
        made = RecipeCase if kind == "recipe" else Case
        return made(kind, subject, tmp_path / "case", faulty, lenient=lenient)  # type: ignore[arg-type]

    (tmp_path / "case").mkdir()
    return make


@pytest.fixture
def broken() -> Callable[[Case, Collection[Law]], dict[str, Outcome]]:
    """Which of some laws a case breaks, each with its outcome."""

    def find(case: Case, laws: Collection[Law]) -> dict[str, Outcome]:
        outcomes = [outcome_of(law, case) for law in laws]
        return {found.law.name: found for found in outcomes if found.status == "fails"}

    return find
