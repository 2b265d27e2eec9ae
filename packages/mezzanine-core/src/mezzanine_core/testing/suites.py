"""Suites: the laws of a kind as test classes for pytest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

import pytest

from mezzanine_core.specs import Kind
from mezzanine_core.testing.checking import laws_of
from mezzanine_core.testing.laws import Law, NotApplicableError
from mezzanine_core.testing.recipes import RecipeCase
from mezzanine_core.testing.subject import Case, Subject

S = TypeVar("S", bound="Suite")

_CASES: pytest.StashKey[dict[tuple[type, str], Case]] = pytest.StashKey()


class Suite:
    """Base of the suites: a subclass has a test for each law, and is given one fixture.

    A law that says nothing about the subject is skipped, with the reason.
    """

    kind: ClassVar[Kind]

    @pytest.fixture
    def subject(self) -> Subject:
        """The component to test; a subclass overrides it.

        Raises:
            NotImplementedError: If it does not.
        """
        raise NotImplementedError(
            f"{type(self).__name__} needs a fixture `subject` that returns a Subject"
        )

    @pytest.fixture
    def case(
        self,
        subject: Subject,
        request: pytest.FixtureRequest,
        tmp_path_factory: pytest.TempPathFactory,
    ) -> Case:
        """The subject as it was found, shared by the tests of a class where it stays the same."""
        cases = request.config.stash.setdefault(_CASES, {})
        key = (type(self), repr(subject))
        if key not in cases:
            cases.clear()  # what the class before has loaded is needed no more
            make = RecipeCase if self.kind == "recipe" else Case
            cases[key] = make(self.kind, subject, tmp_path_factory.mktemp("conformance"))
        return cases[key]


def _with_laws(kind: Kind) -> Callable[[type[S]], type[S]]:
    """Give a class the kind, and a test for each of its laws."""

    def given(suite: type[S]) -> type[S]:
        suite.kind = kind
        for law in laws_of(kind):
            setattr(suite, f"test_{law.name}", _test_of(law))
        return suite

    return given


def _test_of(law: Law) -> Callable[..., None]:
    def test(self: Any, case: Case) -> None:
        try:
            law(case)
        except NotApplicableError as error:
            pytest.skip(error.message)

    test.__name__ = f"test_{law.name}"
    test.__qualname__ = test.__name__
    test.__doc__ = law.statement
    return test


@_with_laws("world")
class WorldTests(Suite):
    """The laws of worlds."""


@_with_laws("symmetry")
class SymmetryTests(Suite):
    """The laws of symmetries."""


@_with_laws("encoder")
class EncoderTests(Suite):
    """The laws of encoders."""


@_with_laws("recipe")
class RecipeTests(Suite):
    """The laws of recipes and presets."""


@_with_laws("tracker")
class TrackerTests(Suite):
    """The laws of trackers."""


@_with_laws("executor")
class ExecutorTests(Suite):
    """The laws of executors."""
