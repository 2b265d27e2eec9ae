"""The encoder itself as a student: low-rank adapters in its last blocks, and the head on top."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from mezzanine_core.encoders import Trainable
from mezzanine_core.errors import ConfigError, DataError, MissingDependencyError
from mezzanine_core.executors import Executor
from mezzanine_core.fingerprint import Keys, content_keys
from mezzanine_core.progress import Task
from mezzanine_core.worlds import Batch, Column
from mezzanine_recipes_distill.heads import Head

Floats = npt.NDArray[np.float64]

_ADAPTER = "student"
"""The adapter's name within peft; part of the names of its tensors."""

_PASS_SIZE = {"cpu": 2048, "cuda": 32768}
"""Size (tokens) of one forward pass at inference: what a CPU has near by, and what busies a GPU."""


@dataclass(frozen=True)
class AdapterSettings:
    """How an adapter is built and trained.

    There is no dropout: with it two views of an item would differ by noise as well, which is what
    the consistency term is to remove, and the student would not start at the base model.

    Attributes:
        layers: The last blocks of the encoder that are adapted, at least 1.
        rank: Rank of each adapter.
        alpha: An adapter's product is scaled by alpha / rank.
        epochs: Passes over the training items at most.
        lr: The learning rate that AdamW warms up to.
        weight_decay: AdamW's.
        warmup: Share of the steps in which the learning rate rises; it falls to zero in the others,
            both linearly.
        batch_items: Items of an optimiser step, of two views each.
        accumulate: In how many parts a step is computed, one after the other. It changes memory,
            and gradients by rounding only.
        gradient_checkpointing: Whether adapted blocks are computed a second time for the gradients
            rather than kept: about a third more time, and much less memory.
        consistency: Weight of the penalty on different logits of two views, at least 0.
        label_weight: Share of the labels in what is learnt, in [0, 1]; the rest is the teacher's.
        clip: Norm that gradients are clipped to.
        patience: Epochs without a better validation loss before training ends.
    """

    layers: int = 3
    rank: int = 16
    alpha: float = 32.0
    epochs: int = 2
    lr: float = 3e-3
    weight_decay: float = 0.01
    warmup: float = 0.1
    batch_items: int = 16
    accumulate: int = 1
    gradient_checkpointing: bool = False
    consistency: float = 5.0
    label_weight: float = 0.0
    clip: float = 1.0
    patience: int = 2


class AdapterStudent:
    """An encoder with low-rank adapters (LoRA, Hu et al. 2022) and a head: one forward pass.

    All linear layers of the last blocks are adapted, everything else of the encoder is frozen, and
    the blocks below leave no trace for the gradients. The second factor of each adapter begins at
    zero and the head as a copy, so that the student begins as the base model. It stays in
    evaluation mode, in training too: the encoder's own dropout never acts.

    Args:
        trainable: A copy of the encoder, which is adapted in place: each student needs its own.
        head: The head of the base model; it is copied.
        settings: How many blocks and which rank; the rest is for training.
        generator: Draws the first factor of each adapter; on the CPU.
        device: Where to compute.

    Attributes:
        settings: As given.
        device: As given.
        head: The student's head.

    Raises:
        MissingDependencyError: If peft is not installed.
        ConfigError: If the encoder has fewer blocks than are to be adapted, or no linear layers in
            them.
    """

    def __init__(
        self,
        trainable: Trainable,
        head: Head,
        settings: AdapterSettings,
        generator: torch.Generator,
        device: torch.device,
    ) -> None:
        self.settings = settings
        self.device = device
        self._trainable = trainable
        module: nn.Module = trainable.module
        module.eval().requires_grad_(requires_grad=False)
        blocks = _last_blocks(trainable, settings.layers)
        _adapt(module, blocks, settings, generator)
        if settings.gradient_checkpointing:
            for name in blocks:
                _recompute(module.get_submodule(name))
        module.to(device)
        self.head: Head = deepcopy(head).to(device).eval().requires_grad_(requires_grad=True)

    def __call__(self, prepared: Sequence[Any]) -> Tensor:
        """Logits with gradients, float32 [B, C], of items as :meth:`prepare` gives them."""
        logits: Tensor = self.head(self._trainable.features(prepared))
        return logits

    def prepare(self, items: Batch) -> Sequence[Any]:
        """What the encoder computes from, one for each item (token ids)."""
        return self._trainable.prepare(items)

    def prepare_column(
        self, column: Column, rows: npt.NDArray[np.int64], executor: Executor
    ) -> list[Any]:
        """What the encoder computes from, for rows of a column, in their order.

        Args:
            column: Items of a kind that the encoder takes.
            rows: Which rows, distinct, int64 [B].
            executor: Where the column may render or decode.
        """
        found: dict[int, Any] = {}
        for some, batch in column.fetch(rows, executor):
            found.update(zip(some.tolist(), self.prepare(batch), strict=True))
        return [found[row] for row in rows.tolist()]

    def sizes(self, prepared: Sequence[Any]) -> npt.NDArray[np.int64]:
        """Cost of each item, int64 [B]: tokens, where items are texts."""
        return self._trainable.sizes(prepared)

    @property
    def pass_size(self) -> int:
        """Size of all items of a forward pass without gradients, padding included."""
        return _PASS_SIZE.get(self.device.type, _PASS_SIZE["cuda"])

    def parameters(self) -> list[nn.Parameter]:
        """What is trained: the adapters in the order of the blocks, then the head."""
        return [*self._adapters().values(), *self.head.parameters()]

    def logits(self, items: Batch) -> Floats:
        """Logits of items, of which equal ones are computed once.

        Args:
            items: B items of a kind that the encoder takes.

        Returns:
            float64 [B, C], in the order of the items.

        Raises:
            DataError: If an item is not of the kind or shape that the encoder takes.
        """
        rows, same = _distinct(content_keys(iter(items)))
        chosen = items[rows] if isinstance(items, np.ndarray) else [items[row] for row in rows]
        return self._compute(self.prepare(chosen))[same]

    def column_logits(self, column: Column, executor: Executor, task: Task | None = None) -> Floats:
        """Logits of every item of a column; those of equal keys are computed once.

        Args:
            column: Items of a kind that the encoder takes.
            executor: Where the column may render or decode.
            task: What shows how far it is; ``len(column)`` steps.

        Returns:
            float64 [len(column), C].

        Raises:
            DataError: If an item is not of the kind or shape that the encoder takes.
        """
        rows, same = _distinct(column.keys)
        prepared = self.prepare_column(column, rows, executor)
        return self._compute(prepared, np.bincount(same), task)[same]

    def state(self) -> dict[str, Tensor]:
        """A copy of all that training changes, on the CPU; the head's standardisation with it."""
        tensors = {f"encoder.{name}": value for name, value in self._adapters().items()}
        tensors |= {f"head.{name}": value for name, value in self.head.state_dict().items()}
        return {name: value.detach().cpu().clone() for name, value in tensors.items()}

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Take over what :meth:`state` gave, of a student of the same shape.

        Raises:
            DataError: If it is that of another encoder, rank or number of blocks.
        """
        own = self.state()
        wrong = sorted(own.keys() ^ state.keys()) or sorted(
            name for name in own if own[name].shape != state[name].shape
        )
        if wrong:
            raise DataError(
                f"these are weights of another adapter: {wrong[0]} and {len(wrong) - 1} more are "
                "missing, unknown or of another shape",
                hint="Use the encoder, the rank and the number of layers that it was trained with.",
            )
        with torch.no_grad():
            for name, parameter in self._adapters().items():
                parameter.copy_(state[f"encoder.{name}"])
        self.head.load_state_dict({name: state[f"head.{name}"] for name in self.head.state_dict()})

    def _adapters(self) -> dict[str, nn.Parameter]:
        named = self._trainable.module.named_parameters()
        return {name: value for name, value in named if f".{_ADAPTER}." in name}

    @torch.inference_mode()
    def _compute(
        self,
        prepared: Sequence[Any],
        counts: npt.NDArray[np.int64] | None = None,
        task: Task | None = None,
    ) -> Floats:
        """Logits of distinct items; each counts as so many steps of the task."""
        logits: list[Tensor] = []
        order: list[npt.NDArray[np.int64]] = []
        for rows in passes(self.sizes(prepared), self.pass_size):
            logits.append(self([prepared[row] for row in rows]).double().cpu())
            order.append(rows)
            if task is not None and counts is not None:
                task.advance(int(counts[rows].sum()))
        computed: Floats = torch.cat(logits).numpy()
        return computed[np.argsort(np.concatenate(order))]


def require_peft() -> None:
    """See that adapters can be made, before anything is computed for them.

    Raises:
        MissingDependencyError: If peft is not installed.
    """
    _peft()


def check_adaptable(trainable: Trainable, layers: int) -> None:
    """See that an encoder can be adapted; changes nothing.

    Args:
        trainable: The encoder.
        layers: How many of its last blocks are to be adapted.

    Raises:
        ConfigError: If it has fewer blocks, or no linear layers in them.
        MissingDependencyError: If peft is not installed.
    """
    _targets(trainable.module, _last_blocks(trainable, layers))


def passes(sizes: npt.NDArray[np.int64], budget: int) -> Iterator[npt.NDArray[np.int64]]:
    """Forward passes over items of similar size, the largest first, so that little is padded.

    Args:
        sizes: Size of each item, int64 [B].
        budget: Items times the largest of them is at most this, but for an item that exceeds it
            alone.

    Yields:
        Indices of the items of a pass; each comes once.
    """
    order = np.argsort(-sizes, kind="stable")
    start = 0
    while start < len(order):
        count = max(1, budget // max(1, int(sizes[order[start]])))
        yield order[start : start + count]
        start += count


def _distinct(keys: Keys) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The first row of each distinct key, and for each row which of them it equals."""
    _, rows, same = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    return rows, same.reshape(-1)


def _last_blocks(trainable: Trainable, count: int) -> Sequence[str]:
    if not 1 <= count <= len(trainable.blocks):
        raise ConfigError(
            f"adapters in the last {count} blocks, but the encoder has {len(trainable.blocks)} "
            "up to the layer that is read",
            hint="Ask for fewer (adapter_layers), or leave the student `adapter` out.",
        )
    return trainable.blocks[len(trainable.blocks) - count :]


def _targets(module: nn.Module, blocks: Sequence[str]) -> dict[str, nn.Module]:
    """All linear layers of the blocks, by name."""
    _, linear = _peft()
    within = tuple(f"{block}." for block in blocks)
    targets = {
        name: part
        for name, part in module.named_modules()
        if isinstance(part, linear) and name.startswith(within)
    }
    if not targets:
        raise ConfigError(
            f"the blocks {', '.join(blocks)} have no linear layers to be adapted",
            hint="Leave the student `adapter` out, or use another encoder.",
        )
    return targets


def _adapt(
    module: nn.Module, blocks: Sequence[str], settings: AdapterSettings, generator: torch.Generator
) -> None:
    """Put adapters into all linear layers of the blocks, in place."""
    peft, _ = _peft()
    targets = _targets(module, blocks)
    config = peft.LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        target_modules=list(targets),
        # GPT-2's layers hold their weights the other way round.
        fan_in_fan_out=not any(isinstance(part, nn.Linear) for part in targets.values()),
    )
    # peft draws initial weights from torch's global generator; they are drawn anew below.
    with torch.random.fork_rng(devices=[]):
        peft.inject_adapter_in_model(config, module, adapter_name=_ADAPTER)
    for name in targets:
        layer: Any = module.get_submodule(name)
        for factor in (layer.lora_A[_ADAPTER], layer.lora_B[_ADAPTER]):
            # Where the encoder computes in bfloat16, small steps would be lost in its rounding.
            factor.float()
        first = torch.empty(layer.lora_A[_ADAPTER].weight.shape)
        nn.init.kaiming_uniform_(first, a=math.sqrt(5), generator=generator)
        with torch.no_grad():
            layer.lora_A[_ADAPTER].weight.copy_(first)


def _peft() -> tuple[Any, tuple[type[nn.Module], ...]]:
    """The library, and the classes of linear layers that it adapts."""
    try:
        import peft
        from transformers.pytorch_utils import Conv1D
    except ImportError as error:
        raise MissingDependencyError(
            f"the student `adapter` needs peft, which cannot be imported: {error}",
            hint='Run `pip install "mezzanine-recipes-distill[adapter]"`, or leave it out of '
            "students.",
        ) from error
    return peft, (nn.Linear, Conv1D)


def _recompute(block: nn.Module) -> None:
    """Have a block computed again for its gradients.

    What transformers has for that acts in training mode only. Nothing random happens in evaluation
    mode, so the generators' states need not be kept.
    """
    block.forward = partial(
        checkpoint, block.forward, use_reentrant=False, preserve_rng_state=False
    )
