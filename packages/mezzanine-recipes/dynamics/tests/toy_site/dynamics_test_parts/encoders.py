"""An encoder of vectors that gives them back, or fails in a way that can be chosen."""

from typing import Literal

import numpy as np

from mezzanine_core.config import EncoderConfig
from mezzanine_core.encoders import Encoder
from mezzanine_core.fingerprint import fingerprint


class IdentityConfig(EncoderConfig):
    """``fault`` makes an encoder that is broken or has collapsed."""

    length: int = 8
    fault: Literal["none", "nan", "constant", "line"] = "none"


class Identity(Encoder[IdentityConfig]):
    """Vectors as they are."""

    accepts = frozenset({"vector"})

    @property
    def dim(self):
        return self.config.length

    def fingerprint(self):
        return fingerprint({"encoder": "test_identity", **self.config.fingerprint_payload()})

    def encode(self, batch):
        latents = np.array(batch, dtype=np.float32)
        if self.config.fault == "nan":
            latents[0, 0] = np.nan
        elif self.config.fault == "constant":
            latents[:] = 1.0
        elif self.config.fault == "line":
            latents[:, 1:] = 1.0
        return latents
