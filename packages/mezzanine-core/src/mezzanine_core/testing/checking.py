"""Checks the laws of a kind one after the other, and says what became of each."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from mezzanine_core.errors import MezzError
from mezzanine_core.specs import Kind
from mezzanine_core.testing import configs, plugin
from mezzanine_core.testing.laws import BrokenLawError, Law, NotApplicableError
from mezzanine_core.testing.subject import Case

Status = Literal["holds", "fails", "does not apply"]

_MODULES: Mapping[Kind, str] = {
    "world": "worlds",
    "symmetry": "symmetries",
    "encoder": "encoders",
    "recipe": "recipes",
    "tracker": "trackers",
    "executor": "executors",
}


@dataclass(frozen=True)
class Outcome:
    """What became of a law.

    Attributes:
        law: The law.
        status: Whether it holds.
        cause: Why it fails or does not apply, or what could not be tried; ``None`` for nothing.
        remedy: What to do where it fails.
    """

    law: Law
    status: Status
    cause: str | None = None
    remedy: str | None = None


def laws_of(kind: Kind) -> tuple[Law, ...]:
    """All laws of components of a kind: of its plugin, its configuration, and what it does."""
    module = importlib.import_module(f"mezzanine_core.testing.{_MODULES[kind]}")
    laws: tuple[Law, ...] = module.LAWS
    return (*plugin.LAWS, *configs.LAWS, *laws)


def check(case: Case) -> Iterator[Outcome]:
    """Check every law of a case.

    Yields:
        The outcome of each law, as it is known.
    """
    for each in laws_of(case.kind):
        yield outcome_of(each, case)


def outcome_of(law: Law, case: Case) -> Outcome:
    """Check one law; what the component raises of its own is a failure too."""
    try:
        return Outcome(law, "holds", law(case))
    except NotApplicableError as error:
        return Outcome(law, "does not apply", error.message)
    except BrokenLawError as error:
        return Outcome(law, "fails", error.message, error.hint)
    except MezzError as error:
        cause = f"{type(error).__name__}: {error.message}"
        return Outcome(law, "fails", cause, error.hint or law.remedy)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a component may raise anything
        return Outcome(law, "fails", f"it raised {type(error).__name__}: {error}", law.remedy)
