"""Conformance suites: laws that components have to obey, for the tests of those who write them.

A test class derives from the suite of its kind and says in one fixture what is tested::

    from mezzanine_core.testing import EncoderTests, Subject

    class TestMeanColour(EncoderTests):
        @pytest.fixture
        def subject(self) -> Subject:
            return Subject("mean_colour", settings={"scale": 100.0})

The suites need pytest (``pip install 'mezzanine-core[testing]'``). The laws themselves do not: they
are functions of a :class:`~mezzanine_core.testing.subject.Case`, in the modules of this package.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from mezzanine_core.errors import MissingDependencyError

if TYPE_CHECKING:
    from mezzanine_core.testing.checking import Outcome, check, laws_of
    from mezzanine_core.testing.laws import BrokenLawError, Law, NotApplicableError
    from mezzanine_core.testing.recipes import RecipeCase
    from mezzanine_core.testing.subject import Case, Subject
    from mezzanine_core.testing.suites import (
        EncoderTests,
        ExecutorTests,
        RecipeTests,
        SymmetryTests,
        TrackerTests,
        WorldTests,
    )

__all__ = [
    "BrokenLawError",
    "Case",
    "EncoderTests",
    "ExecutorTests",
    "Law",
    "NotApplicableError",
    "Outcome",
    "RecipeCase",
    "RecipeTests",
    "Subject",
    "SymmetryTests",
    "TrackerTests",
    "WorldTests",
    "check",
    "laws_of",
]

_HOMES = {
    "BrokenLawError": "laws",
    "Case": "subject",
    "Law": "laws",
    "NotApplicableError": "laws",
    "Outcome": "checking",
    "RecipeCase": "recipes",
    "Subject": "subject",
    "check": "checking",
    "laws_of": "checking",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: the pytest plugin lies in this package too."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        home = importlib.import_module(f"{__name__}.{_HOMES.get(name, 'suites')}")
    except ModuleNotFoundError as error:
        if error.name != "pytest":
            raise
        raise MissingDependencyError(
            f"mezzanine_core.testing.{name} needs pytest, which is not installed",
            hint="pip install 'mezzanine-core[testing]'",
        ) from error
    return getattr(home, name)
