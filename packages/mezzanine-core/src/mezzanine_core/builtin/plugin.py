"""Announces the components that come with core."""

from __future__ import annotations

from mezzanine_core import Spec, hookimpl

_CONFIGS = "mezzanine_core.builtin.configs"


@hookimpl
def mezz_symmetries() -> list[Spec]:
    """The four built-in symmetries."""
    return [
        Spec(
            kind="symmetry",
            name="order",
            summary="Orders of the sentences or lines of a text, or of the items of a list",
            config=f"{_CONFIGS}:OrderConfig",
            factory="mezzanine_core.builtin.order:Order",
            tags=("text", "exact"),
        ),
        Spec(
            kind="symmetry",
            name="view",
            summary="Crops and horizontal flips of an image, with the action mirrored along",
            config=f"{_CONFIGS}:ViewConfig",
            factory="mezzanine_core.builtin.view:View",
            tags=("image", "action"),
        ),
        Spec(
            kind="symmetry",
            name="factorization",
            summary="Orders of key-value evidence rendered by a template",
            config=f"{_CONFIGS}:FactorizationConfig",
            factory="mezzanine_core.builtin.factorization:Factorization",
            tags=("text", "exact"),
        ),
        Spec(
            kind="symmetry",
            name="action_shuffle",
            summary="Actions dealt out anew among the samples of a batch: a counterfactual",
            config=f"{_CONFIGS}:ActionShuffleConfig",
            factory="mezzanine_core.builtin.action_shuffle:ActionShuffle",
            tags=("action", "counterfactual"),
        ),
    ]


@hookimpl
def mezz_encoders() -> list[Spec]:
    """The encoder of vectors."""
    return [
        Spec(
            kind="encoder",
            name="vector",
            summary="Vectors as they are, offset and scaled by fixed numbers",
            config=f"{_CONFIGS}:VectorConfig",
            factory="mezzanine_core.builtin.vector:VectorEncoder",
            tags=("vector", "baseline", "offline"),
        )
    ]


@hookimpl
def mezz_trackers() -> list[Spec]:
    """The tracker of a file in the run directory, and the one that logs nothing."""
    return [
        Spec(
            kind="tracker",
            name="jsonl",
            summary="A line of JSON for everything logged, in log.jsonl of the run directory",
            config="mezzanine_core.builtin.jsonl:JsonlConfig",
            factory="mezzanine_core.builtin.jsonl:JsonlTracker",
            tags=("offline",),
        ),
        Spec(
            kind="tracker",
            name="none",
            summary="Logs nothing besides the run directory",
            config="mezzanine_core.builtin.noop:NoopConfig",
            factory="mezzanine_core.builtin.noop:NoopTracker",
        ),
    ]


@hookimpl
def mezz_executors() -> list[Spec]:
    """The executor of this machine's processes."""
    return [
        Spec(
            kind="executor",
            name="local",
            summary="Worker processes on this machine",
            config="mezzanine_core.builtin.local:LocalConfig",
            factory="mezzanine_core.builtin.local:LocalExecutor",
        )
    ]
