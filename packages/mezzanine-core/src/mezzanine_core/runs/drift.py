"""What has changed since a run: its recipe, components, packages, code and machine, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pydantic import Field

from mezzanine_core.config import MezzModel
from mezzanine_core.results import ComponentRecord, RunRecord
from mezzanine_core.runs.identity import Identity
from mezzanine_core.runs.provenance import Provenance

Matter = Literal["experiment", "component", "package", "code", "machine", "computation"]

_MACHINE = ("python", "platform")
_SHORT = 12


class Drift(MezzModel):
    """One thing that is not as it was."""

    matter: Matter = Field(description="What kind of thing it is")
    subject: str = Field(description="Which one, such as `world` or `numpy`")
    then: str | None = Field(description="What it was; null where it was not there")
    now: str | None = Field(description="What it is; null where it is not there")
    words: str = Field(description="The same in a sentence, with what it may do to the results")


def find_drift(
    record: RunRecord, identity: Identity, made_with: Provenance, settings: Mapping[str, Any]
) -> list[Drift]:
    """Compare a run with what a repetition would be, here and now.

    Args:
        record: What the run left behind.
        identity: What the repetition would be.
        made_with: What it would be computed with.
        settings: How it would be computed: ``device``, ``deterministic``, ``cpus``.

    Returns:
        What has changed, what bears on the results most first; empty where nothing has.
    """
    found = [
        *_components(record.components, identity.components),
        *_packages(record.versions, made_with.versions),
        *_code(record, made_with),
        *_computation(record.settings, settings),
    ]
    if record.fingerprint != identity.fingerprint:
        found.insert(0, _experiment(record.fingerprint, identity.fingerprint, bool(found)))
    return found


def _experiment(then: str, now: str, explained: bool) -> Drift:
    why = (
        "what is listed here says why"
        if explained
        else "a setting of the recipe has another meaning or default than it had"
    )
    return Drift(
        matter="experiment",
        subject="fingerprint",
        then=then,
        now=now,
        words=f"This is another experiment: the run was {then[:_SHORT]}, this one is "
        f"{now[:_SHORT]}; {why}.",
    )


def _components(
    then: Mapping[str, ComponentRecord], now: Mapping[str, ComponentRecord]
) -> Iterator[Drift]:
    means = {
        "world": "its items, their splits or where they come from have changed",
        "encoder": "its weights, its preprocessing or its layer have changed, and so every latent",
    }
    for slot in sorted({*then, *now}):
        before, after = then.get(slot), now.get(slot)
        if before is None or after is None or before.fingerprint != after.fingerprint:
            name = " to ".join(dict.fromkeys(one.name for one in (before, after) if one))
            meaning = means.get(slot, "it does something else than it did")
            yield Drift(
                matter="component",
                subject=slot,
                then=before and before.fingerprint,
                now=after and after.fingerprint,
                words=f"The {slot} {name} is not what it was: {meaning}. Expect other results.",
            )


def _packages(then: Mapping[str, str], now: Mapping[str, str]) -> Iterator[Drift]:
    for name in sorted({*then, *now}, key=lambda name: (name in _MACHINE, name)):
        before, after = then.get(name), now.get(name)
        if before == after:
            continue
        if name in _MACHINE:
            yield Drift(
                matter="machine",
                subject=name,
                then=before,
                now=after,
                words=f"The {'Python' if name == 'python' else name} was {before} and is {after}; "
                "figures may differ in their last digits.",
            )
        elif after is None:
            yield Drift(
                matter="package",
                subject=name,
                then=before,
                now=None,
                words=f"{name} {before} is not installed any more; what does not need it does not "
                "change.",
            )
        elif before is None:
            yield Drift(
                matter="package",
                subject=name,
                then=None,
                now=after,
                words=f"{name} {after} was not installed; that alone changes nothing.",
            )
        else:
            yield Drift(
                matter="package",
                subject=name,
                then=before,
                now=after,
                words=f"{name} was {before} and is {after}: `pip install {name}=={before}` brings "
                "the old one back.",
            )


def _code(record: RunRecord, made_with: Provenance) -> Iterator[Drift]:
    """Code that was edited; that another version has other code needs no saying."""
    for name, before in sorted(record.code.items()):
        after = made_with.code.get(name)
        version = record.versions.get(name)
        if before == after or version != made_with.versions.get(name):
            continue
        yield Drift(
            matter="code",
            subject=name,
            then=before,
            now=after,
            words=f"The code of {name} was edited since, though its version is still {version}.",
        )


def _computation(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Drift]:
    words = {
        "device": "The run was computed on {then}, this one is on {now}; figures may differ in "
        "their last digits, and training makes more of it.",
        "cpus": "The run had {then} CPUs, this one has {now}: with another number of threads sums "
        "are rounded otherwise, unless both are deterministic.",
        "deterministic": "The run was {then}, this one is {now}; only two deterministic runs are "
        "the same bit for bit.",
    }
    for name, sentence in words.items():
        before, after = then.get(name), now.get(name)
        if name not in then or before == after or after == "auto":
            continue
        if name == "deterministic":
            before, after = ("deterministic" if one else "not" for one in (before, after))
        yield Drift(
            matter="computation",
            subject=name,
            then=str(before),
            now=str(after),
            words=sentence.format(then=before, now=after),
        )
