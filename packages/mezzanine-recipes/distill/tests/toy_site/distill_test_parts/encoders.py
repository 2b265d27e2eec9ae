"""A reader that forgets: words weigh the more the later they come."""

import zlib
from typing import ClassVar

import numpy as np
from pydantic import Field

from mezzanine_core.config import EncoderConfig
from mezzanine_core.encoders import Encoder
from mezzanine_core.fingerprint import fingerprint

_DIM = 12


class ReaderConfig(EncoderConfig):
    memory: float = Field(0.9, gt=0, le=1, description="1: the order of the words plays no part")
    words: int = Field(1000, ge=1, description="Words that are read; the rest is cut off")
    version: int = 1


class Mute(Encoder[ReaderConfig]):
    """A reader without answers of its own."""

    accepts: ClassVar = frozenset({"text"})

    @property
    def dim(self):
        return _DIM

    @property
    def max_length(self):
        return self.config.words

    def count_tokens(self, texts):
        return np.array([len(text.split()) for text in texts], np.int64)

    def fingerprint(self):
        return fingerprint({"reader": self.config.fingerprint_payload()})

    def encode(self, batch):
        return np.stack([self._read(text) for text in batch])

    def _read(self, text):
        latent = np.zeros(_DIM, np.float32)
        for word in text.split()[: self.config.words]:
            drawn = np.random.default_rng(zlib.crc32(word.lower().encode()))
            latent = self.config.memory * latent + drawn.standard_normal(_DIM).astype(np.float32)
        return latent.astype(np.float32)


class Reader(Mute):
    """The same with answers."""

    def choice_encoder(self, choices):
        return _Chooser(self, tuple(choices))


class _Chooser(Encoder[ReaderConfig]):
    """Finds a choice the likelier the closer its latent is to that of the prompt."""

    accepts: ClassVar = frozenset({"text"})

    def __init__(self, reader, choices):
        super().__init__(reader.config)
        self._reader = reader
        self._choices = choices

    @property
    def dim(self):
        return len(self._choices)

    def fingerprint(self):
        return fingerprint({"reader": self._reader.fingerprint(), "choices": list(self._choices)})

    def encode(self, batch):
        scores = self._reader.encode(batch) @ self._reader.encode(self._choices).T / 4
        return (scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)).astype(np.float32)
