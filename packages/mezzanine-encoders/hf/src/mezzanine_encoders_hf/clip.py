"""CLIP's vision tower: the embedding that it compares with texts, or its hidden states."""

from __future__ import annotations

import copy
from functools import cached_property
from typing import Any

import torch
import transformers
from torch import nn

from mezzanine_encoders_hf.config import HFClipConfig, Layer, VisionPooling
from mezzanine_encoders_hf.errors import UnsuitableModelError
from mezzanine_encoders_hf.loading import load_model
from mezzanine_encoders_hf.vision import Features, ImageEncoder

_PROJECTED = "CLIPVisionModelWithProjection"


class HFClip(ImageEncoder[HFClipConfig]):
    """The vision tower of CLIP.

    With ``projection`` a latent is CLIP's image embedding (not normalised), else a pooled hidden
    state, as of ``hf_vision``.

    Args:
        config: The encoder's settings.
    """

    _name = "hf_clip"

    @property
    def dim(self) -> int:
        """Length of a latent: of the shared embedding of images and texts, or of a hidden state."""
        if self.config.projection:
            return int(self._projected_config.projection_dim)
        return self._state_dim(self._layer, self._mode)

    def fingerprint(self) -> str:
        """Names the map by the model's files, the processor, features and precision."""
        features = (
            {"features": "projected", "dim": self.dim}
            if self.config.projection
            else {"layer": self.tower.resolve(self._layer), "pooling": self._mode}
        )
        return self._named("weights", "processor", processor=self.preprocessor.kind, **features)

    @property
    def _layer(self) -> Layer:
        return -2 if self.config.embed_layer is None else self.config.embed_layer

    @property
    def _mode(self) -> VisionPooling:
        return "mean" if self.config.embed_mode is None else self.config.embed_mode

    @property
    def _projected_config(self) -> Any:
        """The tower's configuration; the whole checkpoint's says how long the embedding is.

        Raises:
            UnsuitableModelError: If the checkpoint is not CLIP's.
        """
        config = copy.deepcopy(self.tower.config)  # refuses what sees no images
        kind = self.model_config.model_type
        if kind != "clip" and _PROJECTED not in (self.model_config.architectures or ()):
            raise UnsuitableModelError(
                f"{self.source.name} ({kind}) has no projection of CLIP",
                hint="Use hf_vision for its hidden states, or projection=false (--no-projection).",
            )
        config.projection_dim = self.model_config.projection_dim
        return config

    def _load(self) -> nn.Module:
        if not self.config.projection:
            return super()._load()
        return load_model(
            self.source,
            transformers.CLIPVisionModelWithProjection,
            config=self._projected_config,
            dtype=self.precision,
        )

    @cached_property
    def _features(self) -> Features:
        if not self.config.projection:
            return self._states(self._layer, self._mode)
        model = self.model
        if self.config.compile:
            model.compile()

        def embed(pixels: torch.Tensor) -> torch.Tensor:
            embedding: torch.Tensor = model(pixel_values=pixels).image_embeds
            return embedding.float()

        return embed
