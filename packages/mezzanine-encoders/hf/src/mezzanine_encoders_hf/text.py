"""What encoders of texts share: windows of texts, batches by length, one hidden state of each."""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from functools import cached_property
from typing import Any, ClassVar, Generic, Literal, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from mezzanine_core.encoders import Latents
from mezzanine_core.errors import DataError
from mezzanine_core.worlds import Batch, ItemKind
from mezzanine_encoders_hf import tokens
from mezzanine_encoders_hf.batching import Rows, token_batches, window_tokens
from mezzanine_encoders_hf.config import HFTextConfig, Layer
from mezzanine_encoders_hf.depth import HiddenStates, hidden_state_count, resolve_layer
from mezzanine_encoders_hf.errors import UnsuitableModelError
from mezzanine_encoders_hf.inputs import ModelInputs, takes_padding
from mezzanine_encoders_hf.lanes import lanes, side_by_side
from mezzanine_encoders_hf.loading import load_tokenizer
from mezzanine_encoders_hf.memory import split_when_short
from mezzanine_encoders_hf.model import HFEncoder
from mezzanine_encoders_hf.products import blas_is_slow
from mezzanine_encoders_hf.tokens import Tokens, Window
from mezzanine_encoders_hf.trainable import TrainableText

_log = logging.getLogger(__name__)

C = TypeVar("C", bound=HFTextConfig)

_BATCH_TOKENS = {"cpu": 2048, "cuda": 32768}
"""Tokens of one forward pass by default: what a CPU has room for near by, and what busies a GPU."""

_BATCH_ROWS = 16
"""Texts of a stream that come together; a window gathers as many of them as it has room for."""

_WINDOW_BATCHES = 256
"""Batches of a window at most: where the same texts come again and again it never fills."""

_PROBE = ("One, two, three, four.", "Is the answer yes or no?")


class HFText(HFEncoder[C], Generic[C]):
    """A frozen language model as an encoder of texts.

    Texts are gathered over the batches of a stream until there are enough to be sorted by length
    (see :func:`~mezzanine_encoders_hf.batching.window_tokens`), equal ones among them are encoded
    once, and latents come back in the order of the texts.

    In float32 a text has the same latent within 1e-5 whatever the texts around it. Some families
    (ConvBERT, MobileBERT, FNet) make something else of a text that is padded; a probe finds that
    out, and then only texts of equal length are computed together. In bfloat16 a text's
    latents in different batches, and those of float32, have a cosine of more than 0.999 with each
    other; that was measured with all-MiniLM-L6-v2 (0.9999), and deeper models may be further off.

    A text longer than :attr:`max_length` is cut off by the tokenizer, which keeps its special
    tokens; how many were cut off is logged at the end of a stream and part of :meth:`report`. The
    empty string is what the tokenizer makes of it: special tokens alone; an error where it adds
    none (GPT-2).

    Args:
        config: The encoder's settings.
    """

    accepts: ClassVar[frozenset[ItemKind]] = frozenset({"text"})

    def __init__(self, config: C) -> None:
        super().__init__(config)
        self._fits: int | None = None
        self._encoded = 0
        self._truncated = 0
        self._takes_padding = True

    @cached_property
    def tokenizer(self) -> Any:
        """The model's tokenizer, as transformers loads it.

        Raises:
            UnsuitableModelError: If the model is one of images, or the tokenizer does not go with
                the settings.
        """
        tokens.check_reads_texts(self.source.name, self.model_config)
        tokenizer = load_tokenizer(self.source)
        self._check_tokenizer(tokenizer)
        return tokenizer

    @cached_property
    def max_length(self) -> int:
        """Tokens of a text at most, special ones included; known without loading weights.

        By default the model's limit: what its tokenizer says or how many positions it has,
        whichever is less, and 512 where neither has a limit.

        Raises:
            ConfigError: If the setting exceeds the limit, or leaves no room for a text.
        """
        limit = tokens.length_limit(self.model_config, self.tokenizer)
        return tokens.resolve_length(
            self.config.max_length, limit, self.tokenizer, self.source.name
        )

    @property
    def layer(self) -> Layer:
        """The hidden state that is read, counted from the front; known without loading weights.

        Raises:
            UnsuitableModelError: If the model has no such hidden state.
        """
        count = hidden_state_count(self.model_config)
        return resolve_layer(self.config.embed_layer, count, self.source.name)

    @property
    def hidden_size(self) -> int:
        """Length of one token's hidden state; known without loading weights.

        Raises:
            UnsuitableModelError: If the model is one of images, or its configuration does not say.
        """
        tokens.check_reads_texts(self.source.name, self.model_config)
        size = getattr(self.model_config, "hidden_size", None)
        if not isinstance(size, int):
            raise UnsuitableModelError(
                f"the configuration of {self.source.name} has no hidden_size",
                hint="Choose a language model that transformers' AutoModel runs on tokens.",
            )
        return size

    @property
    def batch_tokens(self) -> int:
        """Tokens of one forward pass at most, padding included."""
        default = _BATCH_TOKENS.get(self.device.type, _BATCH_TOKENS["cuda"])
        asked = self.config.batch_tokens or default
        return asked if self._fits is None else min(asked, self._fits)

    @property
    def batch_rows(self) -> int:
        """Texts that come together: few, as progress shows; forward passes gather many of them."""
        return _BATCH_ROWS

    def encode(self, batch: Batch) -> Latents:
        """Encode one batch of texts, as :meth:`encode_stream` does.

        Raises:
            DataError: If an item is no text, or the tokenizer gives no token for it.
            LatentError: If the model gives NaN or infinite values.
        """
        (latents,) = self.encode_stream([batch])
        return self._finite(latents)

    def encode_stream(self, batches: Iterable[Batch]) -> Iterator[Latents]:
        """Encode batches of texts that come one after the other.

        Batches are taken until their distinct texts have as many tokens as a window, or there are
        256 of them, so no more than that and one batch are held. Where a batch cannot be used, the
        latents of all batches before it are given first. Latents that are not finite are given as
        they are.

        Raises:
            DataError: If an item is no text, or the tokenizer gives no token for it.
            UnsuitableModelError: If the model is not what its configuration says, or the tokenizer
                is not the model's.
        """
        encoded, truncated = self._encoded, self._truncated
        window = Window()
        for batch in batches:
            try:
                window.gather(batch, self.tokenizer, self.max_length, self.source.name)
            except DataError:
                yield from self._encode_window(window)
                raise
            full = window.size >= window_tokens(self._parameters, self.device.type)
            if full or len(window.batches) >= _WINDOW_BATCHES:
                yield from self._encode_window(window)
                window = Window()
        yield from self._encode_window(window)
        if self._truncated > truncated:
            _log.info(
                "of the %d texts encoded %d are longer than max_length=%d tokens and were cut off",
                self._encoded - encoded,
                self._truncated - truncated,
                self.max_length,
            )

    def count_tokens(self, texts: Batch) -> npt.NDArray[np.int64]:
        """How many tokens whole texts have, special ones included; loads no weights.

        Texts with more than :attr:`max_length` are cut off when they are encoded.

        Returns:
            int64 [len(texts)].

        Raises:
            DataError: If an item is no text.
        """
        return tokens.count_tokens(self.tokenizer, tokens.as_texts(texts))

    def report(self) -> Mapping[str, Any]:
        """How it encoded so far.

        Under ``texts`` how many were ``encoded``, and how many of those were ``truncated``. Equal
        texts that are gathered together are encoded, and counted, once; those that come later in a
        stream again.
        """
        return {
            **super().report(),
            "batch_tokens": self.batch_tokens,
            "texts": {
                "encoded": self._encoded,
                "truncated": self._truncated,
                "max_length": self.max_length,
            },
        }

    def trainable(self) -> TrainableText:
        """A copy of the model that may be trained, and gives latents with gradients.

        Raises:
            UnsuitableModelError: As :meth:`encode_stream` does.
        """
        _ = self._hidden_states  # checks the layer, and finds out whether the model takes padding
        return TrainableText(
            self._hidden_model(self.model),
            self.config.embed_layer,
            self._model_inputs,
            self._probe,
            pool=self._pool,
            tokenise=self._tokenise,
            takes_padding=self._takes_padding,
        )

    def _tokenise(self, batch: Batch) -> list[Tokens]:
        """Tokens of each text of a batch, cut off; raises DataError where it cannot be encoded."""
        window = Window()
        window.gather(batch, self.tokenizer, self.max_length, self.source.name)
        return [window.tokens[slot] for slot in window.batches[0]]

    @property
    def _quickened(self) -> bool:
        return blas_is_slow() and not self.config.compile

    @property
    def _padding_side(self) -> Literal["left", "right"]:
        """Where shorter texts of a batch are padded."""
        return "right"

    def _check_tokenizer(self, tokenizer: Any) -> None:
        """Raise UnsuitableModelError where the tokenizer does not go with the settings."""

    def _hidden_model(self, model: nn.Module) -> nn.Module:
        """The part of the loaded model whose hidden states are read."""
        return model

    @abstractmethod
    def _pool(self, hidden: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Latents of texts.

        Args:
            hidden: The hidden state, [B, S, D] in the model's dtype.
            mask: int64 [B, S], 1 where a token is text and 0 where it is padding.

        Returns:
            float32 [B, dim].
        """

    @cached_property
    def _probe(self) -> list[Tokens]:
        """Tokens of two texts of equal length, to try models with."""
        pieces, _ = tokens.tokenise(self.tokenizer, list(_PROBE), self.max_length)
        shared = min(piece.shape[1] for piece in pieces)
        return [piece[:, :shared] for piece in pieces]

    @cached_property
    def _hidden_states(self) -> HiddenStates:
        probe, _ = self._inputs(self._probe)
        module = self._hidden_model(self.model)
        states = HiddenStates(module, self.config.embed_layer, probe, self.source.name)
        self._check_layer(states)
        self._takes_padding = takes_padding(
            states,
            self._inputs,
            self._probe,
            max_length=self.max_length,
            precision=self.precision,
        )
        if not self._takes_padding:
            _log.info(
                "%s is not indifferent to padding, so only texts of equal length are computed "
                "together",
                self.source.name,
            )
        if self.config.compile:
            states.compile()
        return states

    def _check_layer(self, states: HiddenStates) -> None:
        said = hidden_state_count(self.model_config)
        if said is not None and states.layer != self.layer:
            raise UnsuitableModelError(
                f"{self.source.name} has {states.count} hidden states, and {said} by its "
                f"configuration, so embed_layer={self.config.embed_layer} could be "
                f"{states.layer} or {self.layer}",
                hint="Count embed_layer from the front, or choose `final` for the model's output.",
            )

    @cached_property
    def _parameters(self) -> int:
        """Parameters that each token is multiplied with: all but those that are looked up."""
        model = self._hidden_model(self.model)
        tables = {id(m.weight) for m in model.modules() if isinstance(m, nn.Embedding)}
        return sum(one.numel() for one in model.parameters() if id(one) not in tables)

    @cached_property
    def _model_inputs(self) -> ModelInputs:
        module = self._hidden_model(self.model)
        return ModelInputs(module, self.model_config, self.tokenizer, self.source.name)

    def _encode_window(self, window: Window) -> Iterator[Latents]:
        """Latents of the batches of a window."""
        distinct = torch.empty(len(window.tokens), self.dim)
        order: list[Rows] = []
        parts: list[torch.Tensor] = []
        count = lanes(self.device, compiled=self.config.compile)

        def compute(rows: Rows) -> tuple[Rows, list[torch.Tensor]]:
            return rows, self._fitted(
                lambda some: self._forward([window.tokens[row] for row in some]),
                rows.tolist(),
                window.tokens[int(rows[0])].shape[1],
            )

        with closing(side_by_side(compute, self._together(window.lengths()), count)) as computed:
            for rows, latents in computed:
                order.append(rows)
                parts += latents
        if parts:
            self._check_width(parts[0])
            distinct[torch.from_numpy(np.concatenate(order))] = torch.cat(parts).cpu()
        self._encoded += len(window.tokens)
        self._truncated += window.truncated
        for slots in window.batches:
            yield distinct[torch.from_numpy(slots)].numpy()

    def _together(self, lengths: npt.NDArray[np.int64]) -> Iterator[Rows]:
        """Which texts of a window are computed together, longest first."""
        if len(lengths):  # else there is no need to load the model
            _ = self._hidden_states  # finds out whether it takes padding
        for rows in token_batches(lengths, lambda: self.batch_tokens):
            if self._takes_padding:
                yield rows
            else:
                yield from np.split(rows, np.flatnonzero(np.diff(lengths[rows])) + 1)

    def _fitted(
        self, forward: Callable[[list[int]], torch.Tensor], rows: list[int], longest: int
    ) -> list[torch.Tensor]:
        """What a forward pass gives for rows, in parts that fit into memory.

        Where the rows do not fit, the budget of tokens is less from then on.

        Args:
            forward: Computes rows of that index, longest first.
            rows: Which rows, longest first.
            longest: Tokens of the longest.
        """
        before = self.batch_tokens

        def shorten(count: int) -> None:
            self._fits = min(self.batch_tokens, (count + 1) // 2 * longest)

        parts = split_when_short(forward, rows, shorten)
        if self.batch_tokens < before:
            _log.warning(
                "%s ran out of memory on %s with %d texts of up to %d tokens; goes on with "
                "batch_tokens=%d",
                self.source.name,
                self.device,
                len(rows),
                longest,
                self.batch_tokens,
            )
        return parts

    @torch.inference_mode()
    def _forward(self, pieces: Sequence[Tokens]) -> torch.Tensor:
        """Latents of texts that are computed together: float32 [B, dim] on the device."""
        inputs, mask = self._inputs(pieces)
        with self._attending():
            return self._pool(self._hidden_states(**inputs), mask)

    def _inputs(self, pieces: Sequence[Tokens]) -> tuple[dict[str, Any], torch.Tensor]:
        """What the model's forward pass is given for these texts, and what of it is text.

        See :class:`~mezzanine_encoders_hf.inputs.ModelInputs`.
        """
        return self._model_inputs(pieces, self._padding_side, self.device)

    def _check_width(self, latents: torch.Tensor) -> None:
        if latents.shape[1] != self.dim:
            raise UnsuitableModelError(
                f"hidden state {self.config.embed_layer} of {self.source.name} gives latents of "
                f"{latents.shape[1]} numbers, not the {self.dim} of its configuration",
                hint="Choose another embed_layer; this one is of another width than the rest.",
            )
