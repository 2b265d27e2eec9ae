"""The encoder ``hf_causal_lm``: hidden states of a causal language model, and scores of choices."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Literal

import numpy as np
import torch
from torch import nn
from transformers import AutoModelForCausalLM
from transformers.models.auto.modeling_auto import (
    MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
    MODEL_FOR_MASKED_LM_MAPPING_NAMES,
)

from mezzanine_encoders_hf import pooling, tokens
from mezzanine_encoders_hf.batching import window_tokens
from mezzanine_encoders_hf.choice_encoder import ChoiceEncoder
from mezzanine_encoders_hf.choice_tokens import Ids
from mezzanine_encoders_hf.choices import ChoiceScorer, Counts, Per, Scores
from mezzanine_encoders_hf.config import HFCausalLMConfig
from mezzanine_encoders_hf.errors import UnsuitableModelError
from mezzanine_encoders_hf.loading import load_model
from mezzanine_encoders_hf.logits import differ
from mezzanine_encoders_hf.text import HFText

_log = logging.getLogger(__name__)

_ROUNDING = {torch.float32: 1e-4, torch.bfloat16: 2e-2, torch.float16: 1e-2}
"""What a pass over other shapes may change of a hidden state, over the largest value."""

_SCORING_VERSION = 1
"""Grows whenever the same settings give other scores of choices than before."""

_POOLS = {
    "last": pooling.last,
    "mean": pooling.masked_mean,
    "mean_std": pooling.masked_mean_std,
}


class HFCausalLM(HFText[HFCausalLMConfig]):
    """A causal language model of transformers: GPT-2, Llama, Qwen and their kin.

    As an encoder it pools the hidden states of a text's tokens: the last one, which has read all of
    the text, their mean, or their mean and population standard deviation side by side. Its output
    layer is not computed for that. The same model, loaded once, scores choices:

    >>> encoder.choice_probs(["Is grass green? Answer:"], [" yes", " no"])  # doctest: +SKIP
    array([[0.9, 0.1]])

    Args:
        config: The encoder's settings.
    """

    @cached_property
    def model_config(self) -> Any:
        """The transformers configuration of the checkpoint.

        Raises:
            UnsuitableModelError: If it is not one of a causal language model.
        """
        config = super().model_config
        _check_causal(self.source.name, config)
        return config

    @property
    def dim(self) -> int:
        """Length D of a latent: the model's hidden size, twice that for ``mean_std``."""
        return self.hidden_size * (2 if self.config.embed_mode == "mean_std" else 1)

    def fingerprint(self) -> str:
        """Names the map: weights, tokenizer, layer, pooling, length limit and precision."""
        return self._named(
            "weights",
            "tokenizer",
            layer=self.layer,
            max_length=self.max_length,
            embed_mode=self.config.embed_mode,
        )

    def choice_log_probs(
        self,
        prompts: Sequence[str],
        choices: Sequence[str] | Sequence[Sequence[str]],
        per: Per | None = None,
    ) -> Scores:
        """Log-probabilities of choices after prompts: log p(choice | prompt).

        The sum of the log-probabilities of the choice's tokens, each given the prompt and the
        choice's tokens before it, in nats. Prompt and choice are put together as they are, so a
        choice that is a new word begins with a space (``" yes"``). Which tokens are the choice's is
        defined in :class:`~mezzanine_encoders_hf.choice_tokens.ChoiceTokenizer`; it is what
        lm-evaluation-harness scores.

        Sums favour short choices. What else is in use:

        - ``per="character"``, the sum over the number of characters of the choice, without white
          space around it: what the harness' ``acc_norm`` ranks by;
        - ``per="token"``, the mean over the choice's tokens;
        - the sum less that of the choice alone, ``choice_log_probs([""] * n, choices)``: by how
          much the prompt makes the choice likelier (``acc_mutual_info``).

        A prompt that is too long for the model, or for ``max_length``, is cut off on its left, so
        that the choice stays whole; how often that happened is logged and part of :meth:`report`.

        Args:
            prompts: n texts. After an empty one the choice follows the token that begins texts, or
                the one that ends them.
            choices: c texts that are the choices after each prompt, or n sequences of c texts.
            per: What each sum is divided by; ``None`` leaves it as it is.

        Returns:
            float64 [n, c], at most 0.

        Raises:
            ConfigError: If ``per`` is something else.
            DataError: If the numbers of prompts and choices do not fit; if a choice is empty, adds
                no token, or is longer than the model reads; if a prompt is empty and the tokenizer
                has no token to begin with.
            LatentError: If the model gives NaN.
            UnsuitableModelError: If what the model says of a token depends on later ones.
        """
        return self.scorer(prompts, choices, per)

    def choice_probs(
        self,
        prompts: Sequence[str],
        choices: Sequence[str] | Sequence[Sequence[str]],
        per: Per | None = None,
    ) -> Scores:
        """Probabilities among the choices: the softmax of :meth:`choice_log_probs` over choices.

        With ``per=None`` these are p(choice | prompt, one of the choices), if none of them begins
        with another one.

        Args:
            prompts: As :meth:`choice_log_probs` takes them.
            choices: As :meth:`choice_log_probs` takes them.
            per: As :meth:`choice_log_probs` takes it.

        Returns:
            float64 [n, c], each row with sum 1.

        Raises:
            MezzError: As :meth:`choice_log_probs` does.
        """
        scores = self.choice_log_probs(prompts, choices, per)
        odds = np.exp(scores - scores.max(axis=1, keepdims=True))
        probabilities: Scores = odds / odds.sum(axis=1, keepdims=True)
        return probabilities

    def choice_encoder(self, choices: Sequence[str]) -> ChoiceEncoder:
        """An encoder of prompts to log p(choice | prompt), with the same loaded model.

        Its latents are those of :meth:`choice_log_probs` and are cached like others.

        Args:
            choices: At least one text, all different.

        Raises:
            ConfigError: If the choices are not such.
        """
        return ChoiceEncoder(self, choices)

    def choice_fingerprint(self, choices: Sequence[str]) -> str:
        """Names the map from prompts to scores of choices; layer and pooling play no part in it."""
        return self._named(
            "weights",
            "tokenizer",
            choices=list(choices),
            max_length=self.max_length,
            scoring=_SCORING_VERSION,
        )

    @property
    def choice_counts(self) -> Counts:
        """How many pairs of prompt and choice were scored so far; loads no weights."""
        scorer = self.__dict__.get("scorer")
        return Counts() if scorer is None else scorer.counts

    @property
    def window(self) -> int:
        """How many tokens to gather before the first of them is computed; loads the model."""
        return window_tokens(self._parameters, self.device.type)

    @cached_property
    def scorer(self) -> ChoiceScorer:
        """Scores choices with the loaded model.

        Raises:
            UnsuitableModelError: If what the model says of a token depends on later ones.
        """
        return ChoiceScorer(
            self.model,
            self.tokenizer,
            self.max_length,
            self.source.name,
            inputs=self._inputs_of,
            fit=self._fitted,
            budget=lambda: self.batch_tokens,
        )

    def report(self) -> Mapping[str, Any]:
        """How it encoded so far, and under ``choices`` how many pairs of prompt and choice.

        ``truncated`` of them had the beginning of their prompt cut off, and in ``merged`` of them
        the tokenizer joined the choice to the end of the prompt, which was scored along with it.
        """
        return {**super().report(), "choices": self.choice_counts._asdict()}

    @cached_property
    def _padding_side(self) -> Literal["left", "right"]:
        if self.config.padding_side == "left" and not self._takes_left_padding():
            _log.warning(
                "%s makes something else of texts that are padded on the left, so they are padded "
                "on the right",
                self.source.name,
            )
            return "right"
        return self.config.padding_side

    @torch.inference_mode()
    def _takes_left_padding(self) -> bool:
        """Whether padding on the left leaves a text as it is: RWKV takes no notice of the mask."""
        model = self._hidden_model(self.model)
        ids = torch.tensor([[1, 1, 2, 3, 4], [3, 4, 2, 3, 4]], device=self.device)
        mask = torch.tensor([[0, 0, 1, 1, 1]] * 2, device=self.device)
        places = {"position_ids": (mask.cumsum(dim=1) - 1).clamp(min=0)}
        known = places if "position_ids" in self._model_inputs.arguments else {}
        padded = model(input_ids=ids, attention_mask=mask, **known).last_hidden_state
        # What stands for padding must not matter at all; where a text begins not beyond rounding.
        if differ(padded[0, 2:], padded[1, 2:]):
            return False
        alone = model(input_ids=ids[:, 2:], attention_mask=mask[:, 2:]).last_hidden_state
        return not differ(padded[:, 2:], alone, _ROUNDING.get(self.precision))

    def _load(self) -> nn.Module:
        return load_model(
            self.source, AutoModelForCausalLM, config=self.model_config, dtype=self.precision
        )

    def _hidden_model(self, model: nn.Module) -> nn.Module:
        base: nn.Module = model.base_model  # type: ignore[assignment]
        return base

    def _pool(self, hidden: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        return _POOLS[self.config.embed_mode](hidden, mask)

    def _inputs_of(self, rows: Sequence[Ids]) -> dict[str, Any]:
        """What the model's forward pass is given for tokens, all of the tokenizer's first type."""
        pieces = [
            np.zeros((len(tokens.fields(self.tokenizer)), len(ids)), np.int64) for ids in rows
        ]
        for piece, ids in zip(pieces, rows, strict=True):
            piece[0] = ids
        inputs, mask = self._inputs(pieces)
        return {**inputs, "attention_mask": mask}


def _check_causal(name: str, config: Any) -> None:
    """Refuse models that are not causal, by their configuration alone."""
    kind = config.model_type
    if any(getattr(config, sign, None) is not None for sign in ("image_size", "vision_config")):
        raise UnsuitableModelError(
            f"{name} ({kind}) is a model of images, not a causal language model",
            hint="Encode images with hf_vision or hf_clip, and choose a model like GPT-2 here.",
        )
    instead = "Use hf_language for its hidden states, or choose a model like GPT-2 or Llama here."
    if config.is_encoder_decoder:
        raise UnsuitableModelError(
            f"{name} ({kind}) is an encoder with a decoder, not a causal language model",
            hint=instead,
        )
    # Where a family was made for masked tokens, its models are causal only if they say so.
    masked = kind in MODEL_FOR_MASKED_LM_MAPPING_NAMES and not getattr(config, "is_decoder", False)
    if masked or kind not in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES:
        raise UnsuitableModelError(f"{name} ({kind}) is no causal language model", hint=instead)
