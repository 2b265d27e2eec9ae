"""One hidden state of a model, without running the blocks that come after it.

A model's forward pass is its own; nothing of it is written again here. It runs as it is until the
block whose input is the hidden state that is wanted, and is left there. So what comes out is, bit
for bit, what transformers' ``hidden_states`` holds.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any, Literal

import torch
from torch import nn

from mezzanine_encoders_hf.config import Layer
from mezzanine_encoders_hf.errors import UnsuitableModelError


def hidden_state_count(config: Any) -> int | None:
    """How many hidden states a model of this transformers configuration has, as far as it says."""
    layers = getattr(config, "num_hidden_layers", None)
    return layers + 1 if isinstance(layers, int) else None


def resolve_layer(layer: Layer, count: int | None, model: str) -> Layer:
    """The hidden state counted from the front, so that -4 and 9 of 13 are one.

    Args:
        layer: The setting ``embed_layer``.
        count: How many hidden states there are; ``None`` leaves the layer as it is.
        model: The model's name, for the error.

    Raises:
        UnsuitableModelError: If the model has no such hidden state.
    """
    if layer == "final" or count is None:
        return layer
    if not -count <= layer < count:
        raise UnsuitableModelError(
            f"embed_layer={layer}, but {model} has {count} hidden states: the embeddings and the "
            f"outputs of {count - 1} blocks",
            hint=f"Choose one from {-count} to {count - 1}, or `final` for the model's output.",
        )
    return layer % count


class HiddenStates:
    """Reads one hidden state, as transformers' ``hidden_states[layer]``.

    Which blocks the model has and which hidden states they take is found by running the probe once,
    whole. Where they do not come one after the other (Swin, ConvNeXt, ALBERT), the whole model is
    run and the hidden state picked from what it kept.

    Args:
        model: The model, in evaluation mode.
        layer: Index of the hidden state, negative from the end, or ``final``: what the model gives
            as ``last_hidden_state``.
        probe: Inputs of the model, a small batch.
        name: The model's name, for errors.

    Attributes:
        count: How many hidden states the model has.
        layer: The index counted from the front, or ``final``.
        blocks_run: How many blocks a call runs; ``None`` where the model is run whole because its
            blocks were not found.

    Raises:
        UnsuitableModelError: If there is no such hidden state, or the model gives none.
    """

    def __init__(self, model: nn.Module, layer: Layer, probe: Mapping[str, Any], name: str) -> None:
        self._model = model
        trace = _Trace(model, probe, name)
        self.count = len(trace.hidden_states)
        self.layer = resolve_layer(layer, self.count, name)
        self._blocks = trace.blocks()
        self._way: Literal["output", "enter", "leave", "pick"] = self._choose(trace)
        self.blocks_run = None if self._blocks is None else self._depth(len(self._blocks))
        self._leaving = threading.local()
        self._watch_exit()

    @torch.inference_mode()
    def __call__(self, **inputs: Any) -> torch.Tensor:
        """The hidden state in the model's dtype: [B, S, D]; [B, C, H, W] of a convolutional net.

        Args:
            inputs: What the model's ``forward`` takes, on its device.
        """
        return self.differentiable(**inputs)

    def differentiable(self, **inputs: Any) -> torch.Tensor:
        """What a call gives, with gradients."""
        if self._way == "output":
            output: torch.Tensor = self._model(**inputs).last_hidden_state
            return output
        # What a block gives within a checkpoint for gradients may have lost its own.
        if self._way == "pick" or (self._way == "leave" and torch.is_grad_enabled()):
            states = self._model(**inputs, output_hidden_states=True).hidden_states
            picked: torch.Tensor = states[self.layer]
            return picked
        return self._stopped(inputs)

    def blocks(self) -> list[nn.Module]:
        """The blocks that a call runs, in order; none where they were not found."""
        return [] if self._blocks is None else list(self._blocks)[: self.blocks_run]

    def compile(self) -> None:
        """Compile the blocks that are run; the whole model where there is no telling them apart.

        Compilation itself happens at the first call. The last block stays as it is where the pass
        is left at its output.
        """
        if self._blocks is None:
            self._model.compile()
            return
        depth = self._depth(len(self._blocks)) - (self._way == "leave")
        for block in list(self._blocks)[:depth]:
            block.compile()

    def _choose(self, trace: _Trace) -> Literal["output", "enter", "leave", "pick"]:
        last = self.count - 1
        if self.layer == "final" or (self.layer == last and trace.ends_with_output()):
            return "output"
        if self._blocks is None:
            return "pick"
        if self.layer == last:
            return "leave" if trace.ends_with_block(self._blocks) else "pick"
        return "enter"

    def _depth(self, blocks: int) -> int:
        return self.layer if self._way == "enter" and self.layer != "final" else blocks

    def _watch_exit(self) -> None:
        """Have the block at which a pass is left hand over the hidden state.

        The hook stays on the block, and does nothing but in a pass that a call has begun in the
        same thread: passes may run side by side, and others may run the whole model.
        """

        def enter(_module: nn.Module, args: Any, kwargs: Any) -> None:
            if getattr(self._leaving, "now", False):
                raise _ReachedError(_input(args, kwargs))

        def leave(_module: nn.Module, _args: Any, output: Any) -> None:
            if getattr(self._leaving, "now", False):
                raise _ReachedError(_output(output))

        if self._way in ("enter", "leave"):
            assert self._blocks is not None
            assert self.layer != "final"
            if self._way == "enter":
                self._blocks[self.layer].register_forward_pre_hook(enter, with_kwargs=True)
            else:
                self._blocks[self.layer - 1].register_forward_hook(leave)

    def _stopped(self, inputs: Mapping[str, Any]) -> torch.Tensor:
        """Run the model up to the block at which it is left."""
        self._leaving.now = True
        try:
            self._model(**inputs)
        except _ReachedError as reached:
            return reached.hidden_state
        finally:
            self._leaving.now = False
        raise RuntimeError("the model did not come by a block that it came by before")


class _ReachedError(Exception):
    """Leaves a forward pass that is done, with the hidden state."""

    def __init__(self, hidden_state: torch.Tensor) -> None:
        super().__init__()
        self.hidden_state = hidden_state


class _Trace:
    """One whole forward pass: hidden states, and what every block takes and gives."""

    def __init__(self, model: nn.Module, probe: Mapping[str, Any], name: str) -> None:
        self._lists = [m for m in model.modules() if isinstance(m, nn.ModuleList) and len(m)]
        self._taken: dict[int, list[torch.Tensor | None]] = {}
        self._given: dict[int, torch.Tensor | None] = {}
        with ExitStack() as hooks, torch.inference_mode():
            for block in {id(b): b for blocks in self._lists for b in blocks}.values():
                self._watch(block, hooks)
            output = model(**probe, output_hidden_states=True)
        states = getattr(output, "hidden_states", None)
        if states is None:
            raise UnsuitableModelError(f"{name} gives no hidden states")
        self.hidden_states: tuple[torch.Tensor, ...] = tuple(states)
        self._output = getattr(output, "last_hidden_state", None)

    def blocks(self) -> nn.ModuleList | None:
        """The blocks whose inputs are the hidden states, one each, all but the last."""
        inputs = self.hidden_states[:-1]
        for blocks in self._lists:
            taken = [self._taken.get(id(block), []) for block in blocks]
            if len(blocks) == len(inputs) and all(
                len(calls) == 1 and _same(calls[0], state)
                for calls, state in zip(taken, inputs, strict=True)
            ):
                return blocks
        return None

    def ends_with_output(self) -> bool:
        """Whether the last hidden state is the model's output."""
        return _same(self._output, self.hidden_states[-1])

    def ends_with_block(self, blocks: nn.ModuleList) -> bool:
        """Whether the last hidden state is what the last block gives."""
        return _same(self._given.get(id(blocks[-1])), self.hidden_states[-1])

    def _watch(self, block: nn.Module, hooks: ExitStack) -> None:
        def enter(_module: nn.Module, args: Any, kwargs: Any) -> None:
            self._taken.setdefault(id(block), []).append(_tensor(lambda: _input(args, kwargs)))

        def leave(_module: nn.Module, _args: Any, output: Any) -> None:
            self._given[id(block)] = _tensor(lambda: _output(output))

        hooks.callback(block.register_forward_pre_hook(enter, with_kwargs=True).remove)
        hooks.callback(block.register_forward_hook(leave).remove)


def _input(args: Any, kwargs: Any) -> Any:
    """What a block is given to work on; all of transformers' blocks take it first."""
    return args[0] if args else kwargs["hidden_states"]


def _output(output: Any) -> Any:
    return output[0] if isinstance(output, tuple) else output


def _tensor(get: Callable[[], Any]) -> torch.Tensor | None:
    """The tensor, where a list of modules holds something that takes or gives none."""
    try:
        value = get()
    except (KeyError, IndexError):
        return None
    return value if isinstance(value, torch.Tensor) else None


def _same(one: torch.Tensor | None, other: torch.Tensor) -> bool:
    return one is other or (
        one is not None and one.shape == other.shape and torch.equal(one, other)
    )
