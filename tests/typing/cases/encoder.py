"""Encoders whose latents are of another type than float32 arrays."""

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from mezzanine_core.config import EncoderConfig
from mezzanine_core.encoders import Encoder, Latents
from mezzanine_core.worlds import Batch


class Lists(Encoder[EncoderConfig]):
    accepts = frozenset({"picture"})  # error: [arg-type] expected "Literal['image'

    @property
    def dim(self) -> float:  # error: [override] Signature of "dim" incompatible
        return 1.0

    def encode(self, batch: Batch) -> list[float]:  # error: [override] Return type "list[float]"
        return [0.0 for _ in batch]


class Doubles(Encoder[EncoderConfig]):
    def encode(self, batch: Batch) -> npt.NDArray[np.float64]:  # error: [override] Return type
        return np.asarray(batch, np.float64)


class Widened(Encoder[EncoderConfig]):
    def encode(self, batch: Batch) -> Latents:
        return np.zeros((len(batch), 1))  # error: [return-value] Incompatible return value type


class Pictures(Encoder[EncoderConfig]):
    def encode(
        self,
        batch: npt.NDArray[np.uint8],  # error: [override] Argument 1 of "encode" is incompatible
    ) -> Latents:
        return batch.astype(np.float32)

    def encode_stream(self, batches: Iterable[Batch]) -> Iterator[Latents]:
        for batch in batches:
            yield [len(batch)]  # error: [misc] Incompatible types in "yield"


class Bare(Encoder):  # error: [type-arg] Missing type arguments for generic type "Encoder"
    pass
