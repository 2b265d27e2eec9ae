"""The encoder contract: a frozen map from input to latent."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Generic, Protocol, Self, TypeVar, runtime_checkable

import numpy as np
import numpy.typing as npt

from mezzanine_core.config import EncoderConfig
from mezzanine_core.worlds import Batch, ItemKind

C = TypeVar("C", bound=EncoderConfig)

Latents = npt.NDArray[np.float32]
"""Latents: float32 array of shape [n, D]."""


class Encoder(ABC, Generic[C]):
    """A frozen, deterministic map from items to latents.

    The same item gives the same latent whatever the batch around it, to a tolerance that the
    implementation states.

    Args:
        config: The encoder's settings.

    Attributes:
        accepts: Which kinds of item it takes.
    """

    accepts: ClassVar[frozenset[ItemKind]]

    def __init__(self, config: C) -> None:
        self.config = config

    @property
    @abstractmethod
    def dim(self) -> int:
        """Length D of a latent."""

    @abstractmethod
    def fingerprint(self) -> str:
        """Names the map.

        Covers weights (digest or resolved revision), preprocessing, layer, pooling, compute dtype
        and code version; never the device or the batch size.
        """

    @abstractmethod
    def encode(self, batch: Batch) -> Latents:
        """Encode a batch of any size.

        Args:
            batch: Items of an accepted kind; uint8 [B, H, W, 3] RGB, float32 [B, D'] or B texts.

        Returns:
            Latents, float32 [B, D], finite.

        Raises:
            DataError: If an item is not of the kind or shape that the encoder takes.
        """

    @property
    def batch_rows(self) -> int | None:
        """Most items in a batch of a stream, or ``None`` for as many as the world gives at once.

        Progress is shown and latents are committed a batch at a time, so a slow encoder asks for
        small ones.
        """
        return None

    def encode_stream(self, batches: Iterable[Batch]) -> Iterator[Latents]:
        """Encode batches that come one after the other; this is how a run encodes.

        By default each is encoded on its own. An encoder overrides it to prepare batches while
        others are computed, or to put items of several batches together.

        Args:
            batches: As :meth:`encode` takes them. An encoder may take a bounded number of them
                before it gives the latents of the first.

        Yields:
            The latents of each batch, in the order of the batches.

        Raises:
            DataError: If an item is not of the kind or shape that the encoder takes.
        """
        for batch in batches:
            yield self.encode(batch)

    def report(self) -> Mapping[str, Any]:
        """What a reader of the results should know of how it encoded so far, as JSON values.

        What the fingerprint leaves out belongs here, such as the device, and what became of the
        items, such as how many texts were cut off.
        """
        return {}

    def to(self, device: str) -> Self:
        """Move to a torch device such as ``cpu`` or ``cuda:0``; returns itself.

        ``auto`` arrives where the recipe leaves the choice to the encoder. An encoder that computes
        with numpy stays where it is.
        """
        return self


@runtime_checkable
class CountsTokens(Protocol):
    """An encoder of texts that cuts long ones off, and can say which."""

    @property
    def max_length(self) -> int:
        """Tokens of a text at most; the rest is cut off."""

    def count_tokens(self, texts: Batch) -> npt.NDArray[np.int64]:
        """How many tokens whole texts have, int64 [len(texts)]."""


@runtime_checkable
class ScoresChoices(Protocol):
    """An encoder whose model has answers of its own: a language model that scores choices."""

    def choice_encoder(self, choices: Sequence[str]) -> Encoder[Any]:
        """The same loaded model as an encoder of prompts to log p(choice | prompt).

        Its latents are float32 [B, len(choices)], in nats, and it has a fingerprint of its own, so
        that they are cached like others. It shares the weights in memory.
        """


@runtime_checkable
class Tunable(Protocol):
    """An encoder that can be trained: the frozen map with gradients."""

    def trainable(self) -> Trainable:
        """A copy of the map that may be trained; changing it does not change the encoder."""


class Trainable(Protocol):
    """A differentiable copy of an encoder's map.

    Attributes:
        module: The torch module (``torch.nn.Module``) whose parameters are trained. Adapters are
            put into it in place; :meth:`features` goes through it.
        blocks: Dotted names of its transformer blocks in ``module``, the one nearest to the input
            first, as far as the layer that is read.
    """

    module: Any
    blocks: Sequence[str]

    def prepare(self, batch: Batch) -> Sequence[Any]:
        """What the module computes from, one for each item; cheap to hold (token ids)."""

    def sizes(self, prepared: Sequence[Any]) -> npt.NDArray[np.int64]:
        """Cost of each item, int64 [B]: batches of similar ones waste the least (tokens)."""

    def features(self, prepared: Sequence[Any]) -> Any:
        """Latents as a torch tensor with gradients, float32 [B, D], on the module's device.

        In evaluation mode, and with its parameters as they were, equal to what the encoder gives,
        to its stated tolerance.
        """
