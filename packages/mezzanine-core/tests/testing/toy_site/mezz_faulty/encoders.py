"""An encoder of vectors that multiplies them."""

import itertools
import random

import numpy as np

from mezzanine_core.encoders import Encoder
from mezzanine_core.errors import DataError
from mezzanine_core.fingerprint import fingerprint

MADE = itertools.count()


class Scaled(Encoder):
    accepts = frozenset({"vector"})
    dim = 6

    def __init__(self, config):
        super().__init__(config)
        self.fault = config.fault
        self.number = next(MADE)
        self.device = "nowhere"
        if self.fault == "accepts":
            self.accepts = frozenset({"vector", "sound"})

    def fingerprint(self):
        payload = self.config.fingerprint_payload()
        del payload["name"]
        if self.fault == "device":
            payload["device"] = self.device
        return fingerprint(payload)

    def encode(self, batch):
        fault = self.fault
        if not isinstance(batch, np.ndarray) or batch.ndim != 2:
            if fault == "takes all":
                return np.zeros((len(batch), 6), np.float32)
            if fault == "crashes":
                raise KeyError("vectors")
            raise DataError(f"a batch of {type(batch).__name__}, not of vectors")
        if not len(batch):
            if fault == "no empty batch":
                raise IndexError("no first item")
            return np.zeros((0, 6), np.float32)
        latents = np.zeros((len(batch), 6), np.float32)
        latents[:, : batch.shape[1]] = batch * np.float32(self.config.scale)
        match fault:
            case "float64":
                latents = latents.astype(np.float64)
            case "nan":
                latents[:, 0] = np.nan
            case "constant":
                latents[:] = 1
            case "random":
                latents += np.float32(random.random())
            case "normalised":
                latents -= latents.mean(axis=0)
            case "in place":
                batch[0] = 0
            case "batch":
                latents *= self.config.batch
            case "hash":
                latents += hash("weights") % 97
        return latents

    def encode_stream(self, batches):
        if self.fault == "hoards":
            batches = list(batches)
        if self.fault == "drops":
            batches = itertools.islice(batches, 1)
        if self.fault == "stream":
            yield from (self.encode(batch) * 2 for batch in batches)
            return
        yield from super().encode_stream(batches)

    def report(self):
        return {"what": object()} if self.fault == "report" else {"device": self.device}

    def to(self, device):
        self.device = device
        return None if self.fault == "to" else self
