"""What a law is: something that holds of every sound component, and can be checked."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mezzanine_core.errors import MezzError

Check = Callable[[Any], str | None]
"""Checks a law on a case; what it returns is a remark, on what could not be tried, say."""


class BrokenLawError(MezzError, AssertionError):
    """A component does not do what its contract says; the hint says how to mend it."""


class NotApplicableError(MezzError):
    """A law says nothing about this component; the message is the reason."""


@dataclass(frozen=True, slots=True)
class Law:
    """A law, called with the case that it is to be checked on.

    Attributes:
        name: What it says, as an identifier.
        statement: What it says, in a sentence.
        remedy: What to do where it is broken.
        check: What checks it.
    """

    name: str
    statement: str
    remedy: str
    check: Check

    def __call__(self, case: Any) -> str | None:
        """Check the law.

        Returns:
            A remark, or ``None``.

        Raises:
            BrokenLawError: If the component breaks it.
            NotApplicableError: If it says nothing about the component.
            Exception: What the component raises of its own.
        """
        try:
            return self.check(case)
        except BrokenLawError as error:
            error.hint = error.hint or self.remedy
            raise
        except AssertionError as error:
            raise BrokenLawError(str(error) or self.statement, hint=self.remedy) from error


def law(remedy: str) -> Callable[[Check], Law]:
    """Make a law of a function whose name and docstring say what holds.

    Args:
        remedy: What to do where it is broken.
    """

    def made(check: Check) -> Law:
        statement, _, _ = (inspect.getdoc(check) or "").partition("\n\n")
        return Law(check.__name__, " ".join(statement.split()), remedy, check)

    return made


def require(holds: object, message: str) -> None:
    """Demand that something holds.

    Unlike ``assert`` it is not left out by ``python -O``.

    Raises:
        BrokenLawError: If it does not.
    """
    if not holds:
        raise BrokenLawError(message)
