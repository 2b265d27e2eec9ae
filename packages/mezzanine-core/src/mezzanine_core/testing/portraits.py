"""All that a component gives, in a form that can be compared and sent between processes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mezzanine_core.fingerprint import canonical_json
from mezzanine_core.results import plain_json
from mezzanine_core.specs import Kind
from mezzanine_core.symmetries import Symmetry, value_key
from mezzanine_core.worlds import Column, Labelled, Split, WorldData

VIEWS = 6
SEED = 3


def portrait(kind: Kind, instance: Any, items: Any) -> dict[str, Any]:
    """What an instance says that it is, and what it gives.

    Args:
        kind: What it is.
        instance: The component.
        items: Items that it encodes or acts on; not used by others.
    """
    facts: dict[str, Any] = {}
    if kind in ("world", "symmetry", "encoder"):
        facts["fingerprint"] = instance.fingerprint()
    if kind == "world":
        facts["source"] = canonical_json(instance.source())
        facts["data"] = data_portrait(instance.load())
    elif kind == "encoder":
        facts["latents"] = instance.encode(items)
    elif kind == "symmetry":
        facts["views"] = views_portrait(instance, items)
    return facts


def views_portrait(symmetry: Symmetry[Any, Any, Any], items: Sequence[Any]) -> list[list[bytes]]:
    """Keys of the views of each item."""
    return [
        [value_key(value) for value in symmetry.views(item, VIEWS, SEED).values] for item in items
    ]


def columns_of(split: Split) -> Mapping[str, Column]:
    """The columns of a split by name."""
    if isinstance(split, Labelled):
        return {"input": split.input}
    return {"obs": split.obs, "next_obs": split.next_obs}


def data_portrait(data: WorldData) -> dict[str, str]:
    """Digests of all that a world has loaded, items left out: they are not materialised."""
    facts = {"report": _report(data)}
    for name, split in data.splits.items():
        parts: dict[str, Any] = {
            f"keys of {column}": found.keys for column, found in columns_of(split).items()
        }
        if isinstance(split, Labelled):
            parts |= {"label": split.label, "label_names": split.label_names}
            if split.frame is not None:
                parts |= {"before": list(split.frame.before), "after": list(split.frame.after)}
        else:
            parts |= {"action": split.action, "action_names": split.action_names}
            parts |= {"episode": split.episode, "keys": split.keys}
            if split.state is not None:
                parts |= {"state": split.state, "state_names": split.state_names}
        facts |= {f"{name}: {part}": _digest(value) for part, value in parts.items()}
    return facts


def _report(data: WorldData) -> str:
    try:
        return _digest(plain_json(data.report))
    except ValueError:
        return "no JSON"  # a law of its own says so


def differences(one: Mapping[str, str], other: Mapping[str, str]) -> str:
    """The parts in which two portraits differ, in words; empty where they are equal."""
    return ", ".join(name for name in {**one, **other} if one.get(name) != other.get(name))


def _digest(value: Any) -> str:
    digest = hashlib.sha256()
    if isinstance(value, np.ndarray):
        digest.update(f"{value.dtype.str}{value.shape}".encode())
        digest.update(np.ascontiguousarray(value).tobytes())
    else:
        digest.update(canonical_json(value).encode())
    return digest.hexdigest()
