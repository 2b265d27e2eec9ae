"""Adapters as a run has them: from its settings and encoder, and as the little that is kept."""

from __future__ import annotations

import gc
from typing import Any

import torch

from mezzanine_core.encoders import Encoder, Trainable, Tunable
from mezzanine_core.errors import ConfigError
from mezzanine_recipes_distill.adapter import (
    AdapterSettings,
    AdapterStudent,
    check_adaptable,
    require_peft,
)
from mezzanine_recipes_distill.config import SymmetryDistillConfig
from mezzanine_recipes_distill.heads import Head
from mezzanine_recipes_distill.students import AdapterState


def adapter_settings(config: SymmetryDistillConfig) -> AdapterSettings:
    """How the adapter is built and trained."""
    return AdapterSettings(
        layers=config.adapter_layers,
        rank=config.adapter_rank,
        alpha=config.adapter_alpha,
        epochs=config.adapter_epochs,
        lr=config.adapter_lr,
        weight_decay=config.adapter_decay,
        batch_items=config.adapter_batch,
        accumulate=config.adapter_accumulate,
        gradient_checkpointing=config.adapter_checkpointing,
        consistency=config.adapter_consistency,
        label_weight=config.label_weight,
        patience=config.adapter_patience,
    )


def check_adapter(config: SymmetryDistillConfig, encoder: Encoder[Any]) -> None:
    """See that the encoder can be adapted as the settings ask, before anything is encoded.

    What is cheap comes first; the last check loads the encoder's weights, which the run needs in
    any case, and copies them for a moment.

    Raises:
        ConfigError: If the encoder cannot be trained, or lacks the blocks that are to be adapted.
        MissingDependencyError: If peft is not installed.
    """
    _tunable(config, encoder)
    require_peft()
    check_adaptable(_copy(config, encoder), config.adapter_layers)


def new_adapter(
    config: SymmetryDistillConfig,
    encoder: Encoder[Any],
    head: Head,
    generator: torch.Generator,
    device: torch.device,
) -> AdapterStudent:
    """An adapter that has learnt nothing yet, on a copy of the encoder.

    A copy is as large as the encoder: keep :func:`state_of` it, and let go of it before another
    one is made.

    Raises:
        ConfigError: As :func:`check_adapter` does.
        MissingDependencyError: If peft is not installed.
    """
    settings = adapter_settings(config)
    return AdapterStudent(_copy(config, encoder), head, settings, generator, device)


def state_of(student: AdapterStudent) -> AdapterState:
    """All that is needed to make a student again, without the encoder."""
    head, settings = student.head, student.settings
    return AdapterState(
        dim=head.dim,
        classes=head.classes,
        hidden=head.hidden,
        layers=settings.layers,
        rank=settings.rank,
        alpha=settings.alpha,
        tensors=student.state(),
    )


def adapter_of(
    config: SymmetryDistillConfig,
    encoder: Encoder[Any],
    state: AdapterState,
    device: torch.device,
) -> AdapterStudent:
    """The adapter that a state is that of, on a copy of the run's encoder.

    Raises:
        ConfigError: As :func:`check_adapter` does.
        DataError: If the state is that of an adapter of another encoder.
        MissingDependencyError: If peft is not installed.
    """
    student = AdapterStudent(
        _copy(config, encoder),
        Head(state.dim, state.classes, state.hidden),
        AdapterSettings(layers=state.layers, rank=state.rank, alpha=state.alpha),
        torch.Generator(),
        device,
    )
    student.load(state.tensors)
    return student


def _copy(config: SymmetryDistillConfig, encoder: Encoder[Any]) -> Trainable:
    # Modules refer to themselves (hooks, recomputed blocks): a copy that nobody uses any more would
    # otherwise stand beside the next one, each of them as large as the encoder.
    gc.collect()
    return _tunable(config, encoder).trainable()


def _tunable(config: SymmetryDistillConfig, encoder: Encoder[Any]) -> Tunable:
    if not isinstance(encoder, Tunable):
        raise ConfigError(
            f"the student `adapter` trains the encoder, which {config.encoder.name!r} does not "
            "allow",
            hint="Leave it out of students, or use an encoder that can be trained (hf_language, "
            "hf_causal_lm).",
        )
    return encoder
