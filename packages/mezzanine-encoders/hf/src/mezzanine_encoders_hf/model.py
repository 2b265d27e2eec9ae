"""What all encoders of this distribution share: where the model is, what it is, what it runs on."""

from __future__ import annotations

import logging
import time
from abc import abstractmethod
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import cache, cached_property
from typing import Any, Generic, Literal, Self, TypeVar

import numpy as np
import torch
import transformers
from torch import nn

from mezzanine_core.encoders import Encoder, Latents
from mezzanine_core.errors import LatentError
from mezzanine_core.fingerprint import fingerprint
from mezzanine_encoders_hf.attention import PlainAttention
from mezzanine_encoders_hf.config import HFConfig
from mezzanine_encoders_hf.loading import load_config
from mezzanine_encoders_hf.products import product, quicken
from mezzanine_encoders_hf.sources import ModelSource, find_model

_log = logging.getLogger(__name__)

C = TypeVar("C", bound=HFConfig)

_CODE_VERSION = 2
"""Grows whenever the same settings give other latents than before."""

_WORTH_SAYING = 1.2
"""A gain or loss by bfloat16 below this is not mentioned."""

_WIDTH = 768
"""Width of the matrices by which that gain is measured: that of a model of base size."""


class HFEncoder(Encoder[C], Generic[C]):
    """A frozen model of transformers.

    Neither construction nor :meth:`fingerprint` nor :attr:`dim` loads weights; the first batch
    does. The fingerprint reads the weight files once, for their digests.

    Args:
        config: The encoder's settings.
    """

    def __init__(self, config: C) -> None:
        super().__init__(config)
        self._device = torch.device("cpu")

    @cached_property
    def source(self) -> ModelSource:
        """Where the model's files are."""
        return find_model(self.config.model_name, self.config.revision)

    @cached_property
    def model_config(self) -> Any:
        """The transformers configuration of the whole checkpoint."""
        return load_config(self.source)

    @property
    def device(self) -> torch.device:
        """Where the model computes."""
        return self._device

    @property
    def precision(self) -> torch.dtype:
        """What the model computes in."""
        name = self.config.dtype
        dtype: torch.dtype = getattr(torch, "float32" if name == "auto" else name)
        return dtype

    def to(self, device: str) -> Self:
        """Move to a torch device; ``auto`` is CUDA where there is one, else the CPU."""
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        self._device = torch.device(device)
        if "model" in self.__dict__:
            self.model.to(self._device)
        return self

    @cached_property
    def model(self) -> nn.Module:
        """The model on the encoder's device, in evaluation mode; loaded at first use."""
        model = self._load().to(self._device)
        if self._quickened:
            quicken(model)
        if self.config.dtype in ("auto", "bfloat16"):
            self._say_what_bfloat16_gains()
        return model

    def report(self) -> Mapping[str, Any]:
        """How it encoded so far: model, commit, device, precision, versions."""
        return {
            "model": self.source.describe(),
            "device": str(self._device),
            "dtype": str(self.precision).removeprefix("torch."),
            "compiled": self.config.compile,
            "torch": torch.__version__,
            "transformers": transformers.__version__,
        }

    @property
    def _quickened(self) -> bool:
        """Whether linear layers compute faster than transformers', and equal but for rounding.

        Encoders of images do not, as their latents are bit-equal to those of transformers.
        """
        return False

    def _attending(self) -> AbstractContextManager[Any]:
        """What a forward pass of a quickened model runs in: attention that is fast in bfloat16."""
        wanted = self._quickened and self.precision == torch.bfloat16
        return PlainAttention() if wanted else nullcontext()

    @abstractmethod
    def _load(self) -> nn.Module:
        """Load the model in :attr:`precision`, on the CPU."""

    def _named(self, *parts: Literal["weights", "tokenizer", "processor"], **settings: Any) -> str:
        """Fingerprint of the map: the files that it is made of, and the settings that matter.

        Hidden states and preprocessing changed between major versions of transformers, so that
        belongs to it as well.
        """
        return fingerprint(
            {
                "encoder": type(self).__name__,
                "version": _CODE_VERSION,
                "transformers": transformers.__version__.partition(".")[0],
                "files": self.source.digests(*parts),
                "dtype": str(self.precision),
                **settings,
            }
        )

    def _finite(self, latents: Latents) -> Latents:
        """The latents, which a stream leaves unchecked: a run knows better which item is which.

        Raises:
            LatentError: If they are not finite.
        """
        broken = ~np.isfinite(latents).all(axis=1)
        if broken.any():
            narrow = self.precision == torch.float16
            raise LatentError(
                f"{self.source.name} gave NaN or infinite values for {broken.sum()} of "
                f"{len(latents)} items, the first of them item {np.flatnonzero(broken)[0]}",
                hint="float16 reaches no further than 65504: compute in bfloat16 or float32."
                if narrow
                else "The weights may be damaged, or made for another version of transformers.",
            )
        return latents

    def _say_what_bfloat16_gains(self) -> None:
        gain = _matmul_gain(self._device, quickened=self._quickened)
        if self.config.dtype == "auto" and gain >= _WORTH_SAYING:
            _log.info(
                "%s computes in float32; on this device its matrix products are %.1f times as fast "
                "in bfloat16 (--dtype bfloat16), with latents of about three digits",
                self.source.name,
                gain,
            )
        elif self.config.dtype == "bfloat16" and gain <= 1 / _WORTH_SAYING:
            _log.warning(
                "%s computes in bfloat16; on this device its matrix products are %.1f times as "
                "fast in float32 (--dtype float32)",
                self.source.name,
                1 / gain,
            )


@cache
@torch.inference_mode()
def _matmul_gain(device: torch.device, *, quickened: bool) -> float:
    """How many times as fast a matrix product of a model's size is in bfloat16, measured once."""
    quick = quickened and device.type == "cpu"
    seconds = {}
    for dtype in (torch.float32, torch.bfloat16):
        x = torch.ones(1024, _WIDTH, dtype=dtype, device=device)
        weight = torch.ones(4 * _WIDTH, _WIDTH, dtype=dtype, device=device)
        linear = product if quick and dtype == torch.float32 else nn.functional.linear
        times = []
        for _ in range(4):  # the first of them warms up
            start = time.perf_counter()
            linear(x, weight).sum().item()
            times.append(time.perf_counter() - start)
        seconds[dtype] = min(times[1:])
    return seconds[torch.float32] / seconds[torch.bfloat16]
