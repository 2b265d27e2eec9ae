"""Laws of fingerprints: they name what a component is, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mezzanine_core.errors import MezzError
from mezzanine_core.testing.laws import Law, NotApplicableError, law, require
from mezzanine_core.testing.subject import Case, cannot_have, instance_of


@law("Compute it from the settings and what lies behind them: no id, time, hash() or set order.")
def fingerprint_is_that_of_the_settings(case: Case) -> None:
    """Two components of the same settings have the same fingerprint, a text."""
    one, other = case.make().fingerprint(), case.make().fingerprint()
    require(isinstance(one, str) and one, f"the fingerprint is {one!r}, not text")
    require(one == other, f"two instances have the fingerprints {one} and {other}")


@law("Use mezzanine_core.fingerprint.fingerprint, not hash(), and no path or number of a process.")
def fingerprint_is_the_same_in_another_process(case: Case) -> None:
    """Another process gives the same fingerprint."""
    here, there = case.instance.fingerprint(), case.elsewhere["fingerprint"]
    require(here == there, f"here it is {here}, in another process {there}")


@law("Put the setting into what is fingerprinted, as config.fingerprint_payload() does with all.")
def fingerprint_covers_every_setting(case: Case) -> str | None:
    """Every setting that changes what comes out changes the fingerprint."""
    changed = case.varied.fingerprinted
    left_out = []
    seen: dict[str, str] = {case.instance.fingerprint(): "the settings as they are"}
    for name, config in changed.items():
        found = _fingerprint(case, name, config)
        if found in seen:
            left_out.append(f"{name} (as {seen[found]})")
        seen[found] = name
    require(
        not left_out, f"other values of these give a fingerprint that is there: {_listed(left_out)}"
    )
    if not changed and not case.varied.missing:
        raise NotApplicableError("it has no settings that change what comes out")
    return case.untried()


@law("Leave it out of what is fingerprinted: how fast something is computed is not what it is.")
def fingerprint_leaves_out_what_changes_nothing(case: Case) -> None:
    """Settings marked UNFINGERPRINTED, and how the name is written, change no fingerprint."""
    base = case.instance.fingerprint()
    spelled = case.config.model_copy(update=case.named(case.component.qualified))
    configs = {**case.varied.unfingerprinted, "name": spelled}
    wrong = [name for name, config in configs.items() if _fingerprint(case, name, config) != base]
    require(not wrong, f"another value changes the fingerprint: {_listed(wrong)}")


def _fingerprint(case: Case, name: str, config: Any) -> str:
    made = instance_of(case, config, name)
    try:
        return str(made.fingerprint())
    except MezzError as error:
        raise cannot_have(config, name, error) from error


def _listed(names: list[str] | Mapping[str, Any]) -> str:
    return ", ".join(names)


LAWS: tuple[Law, ...] = (
    fingerprint_is_that_of_the_settings,
    fingerprint_is_the_same_in_another_process,
    fingerprint_covers_every_setting,
    fingerprint_leaves_out_what_changes_nothing,
)
