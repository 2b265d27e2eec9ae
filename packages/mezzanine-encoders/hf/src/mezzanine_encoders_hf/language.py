"""The encoder ``hf_language``: a language model whose tokens are pooled to one vector."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from transformers import AutoModel

from mezzanine_encoders_hf import pooling
from mezzanine_encoders_hf.config import HFLanguageConfig
from mezzanine_encoders_hf.errors import UnsuitableModelError
from mezzanine_encoders_hf.loading import load_model
from mezzanine_encoders_hf.text import HFText

_POOLS = {"cls": pooling.first, "mean": pooling.masked_mean, "last": pooling.last}


class HFLanguage(HFText[HFLanguageConfig]):
    """A language model of transformers: BERT and its kin, decoders, and the encoder of T5's kind.

    ``pool=mean`` is the mean over all tokens, special ones included, as sentence-transformers
    computes it; with ``normalize`` and max_length 256, all-MiniLM-L6-v2 gives its embeddings.
    ``last`` is the last token, which is a special one where the tokenizer ends texts with one.
    ``cls`` is the first token, and refused where that is no class token.

    Args:
        config: The encoder's settings.
    """

    @property
    def dim(self) -> int:
        """Length D of a latent: the model's hidden size."""
        return self.hidden_size

    def fingerprint(self) -> str:
        """Names the map: weights, tokenizer, layer, pooling, length limit and precision."""
        return self._named(
            "weights",
            "tokenizer",
            layer=self.layer,
            max_length=self.max_length,
            pool=self.config.pool,
            normalize=self.config.normalize,
        )

    def _load(self) -> nn.Module:
        both = bool(self.model_config.is_encoder_decoder)
        model: Any = load_model(
            self.source,
            AutoModel,
            config=self.model_config,
            dtype=self.precision,
            unused=("pooler", "decoder") if both else ("pooler",),
        )
        # A decoder's weights would only lie in memory.
        encoder: nn.Module = model.get_encoder() if both else model
        return encoder

    def _check_tokenizer(self, tokenizer: Any) -> None:
        if self.config.pool != "cls":
            return
        found = tokenizer(["One.", "Another one?"])["input_ids"]
        if tokenizer.cls_token_id is None or any(
            ids[:1] != [tokenizer.cls_token_id] for ids in found
        ):
            raise UnsuitableModelError(
                f"pool=cls, but the tokenizer of {self.source.name} puts no class token before a "
                "text",
                hint="Choose pool=mean or pool=last.",
            )

    def _pool(self, hidden: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        latents = _POOLS[self.config.pool](hidden, mask)
        return nn.functional.normalize(latents, dim=1) if self.config.normalize else latents
