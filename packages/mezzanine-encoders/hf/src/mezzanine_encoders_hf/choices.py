"""How likely a causal language model finds choices after a prompt."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from mezzanine_core.errors import ConfigError, DataError, LatentError
from mezzanine_encoders_hf.batching import token_batches
from mezzanine_encoders_hf.choice_tokens import ChoiceTokenizer, Ids, ScoredTokens
from mezzanine_encoders_hf.logits import LogitsAt
from mezzanine_encoders_hf.tokens import as_texts

_log = logging.getLogger(__name__)

Scores = npt.NDArray[np.float64]
"""One number for each prompt and choice: float64 [n, c]."""

Per = Literal["token", "character"]
"""What the score of a choice is divided by: how many of these it has."""

Forward = Callable[[list[int]], torch.Tensor]
"""A forward pass over some of the rows that are scored."""

_PROBE: tuple[Ids, Ids] = ((0, 1, 2, 3), (0, 1, 2, 4))
"""Texts to try the model with; any tokens do."""

_PROMPTS_AT_ONCE = 1024
"""Prompts whose choices are tokenised, sorted by length and held together."""

_LOGITS_AT_ONCE = 1 << 27
"""Logits of a forward pass, unless one row needs more: half a gigabyte in float32."""


class Counts(NamedTuple):
    """How many pairs of a prompt and a choice there were; see :class:`ChoiceScorer`."""

    scored: int = 0
    truncated: int = 0
    merged: int = 0


class ChoiceScorer:
    """Scores choices with one model.

    What choices have in common is computed once: choices of one token after the same prompt take
    one pass over the prompt, and a choice that another one goes on from takes none of its own.

    Args:
        model: A causal language model, in evaluation mode.
        tokenizer: Its tokenizer.
        max_length: Most tokens that the model reads.
        name: The model's name, for errors.
        inputs: Makes what the model's ``forward`` takes of the ids of several rows, padded on
            either side, with an ``attention_mask``.
        fit: Runs a forward pass over rows, in parts where memory is short. Takes the pass, the rows
            and the length of the longest.
        budget: Tokens of a forward pass at most, padding included.

    Attributes:
        scored: How many pairs of a prompt and a choice were scored.
        truncated: In how many of them the beginning of the prompt was cut off.
        merged: In how many of them the end of the prompt was scored along with the choice, because
            the tokenizer joins them.

    Raises:
        UnsuitableModelError: If the model is no causal one.
    """

    def __init__(
        self,
        model: nn.Module,
        tokenizer: Any,
        max_length: int,
        name: str,
        *,
        inputs: Callable[[Sequence[Ids]], Mapping[str, Any]],
        fit: Callable[[Forward, list[int], int], list[torch.Tensor]],
        budget: Callable[[], int],
    ) -> None:
        self._tokens = ChoiceTokenizer(tokenizer, max_length, name)
        self._logits = LogitsAt(model, inputs(_PROBE), name)
        self._name = name
        self._inputs = inputs
        self._fit = fit
        self._budget = budget
        self.scored = self.truncated = self.merged = 0

    def __call__(
        self,
        prompts: Sequence[str],
        choices: Sequence[str] | Sequence[Sequence[str]],
        per: Per | None = None,
    ) -> Scores:
        """Log-probabilities of choices.

        Args:
            prompts: n texts.
            choices: c texts that are the choices after each prompt, or n sequences of c texts each.
            per: What each sum of log-probabilities is divided by; ``None`` leaves it as it is.

        Returns:
            float64 [n, c].

        Raises:
            ConfigError: If ``per`` is something else.
            DataError: If the numbers of prompts and choices do not fit, a choice is empty, adds no
                token or is longer than the model reads, or there is nothing to condition it on.
            LatentError: If the model gives NaN.
        """
        before = self.counts
        scores = self.score(prompts, choices, per)
        self.say_since(before)
        return scores

    def score(
        self,
        prompts: Sequence[str],
        choices: Sequence[str] | Sequence[Sequence[str]],
        per: Per | None = None,
    ) -> Scores:
        """What a call gives, leaving what is to be said of it to :meth:`say_since`."""
        if per not in (None, *get_args(Per)):
            raise ConfigError(f"per={per!r}; scores are per token, per character or neither (None)")
        prompts = as_texts(prompts)
        table = _table(prompts, choices)
        scores = np.empty((len(prompts), len(table[0]) if table else len(choices)))
        for start in range(0, len(prompts), _PROMPTS_AT_ONCE):
            part = slice(start, start + _PROMPTS_AT_ONCE)
            scores[part] = self._score(prompts[part], table[part], per)
        return scores

    @property
    def counts(self) -> Counts:
        """How many pairs there were so far."""
        return Counts(self.scored, self.truncated, self.merged)

    def say_since(self, before: Counts) -> None:
        """Log what a reader of the scores should know of those since the counts were these."""
        scored, truncated, merged = (
            now - then for now, then in zip(self.counts, before, strict=True)
        )
        if truncated:
            _log.info(
                "the prompts of %d of %d choices are too long for %s and were cut off on the left",
                truncated,
                scored,
                self._name,
            )
        if merged:
            _log.info(
                "the tokenizer of %s joins %d of %d choices to the end of their prompts, which is "
                "scored along with them; begin choices with a space to keep them apart",
                self._name,
                merged,
                scored,
            )

    def _score(
        self, prompts: Sequence[str], table: Sequence[Sequence[str]], per: Per | None
    ) -> Scores:
        choices = [choice for row in table for choice in row]
        pairs = self._tokens(
            [prompt for prompt, row in zip(prompts, table, strict=True) for _ in row], choices
        )
        scores = self._sums(pairs)
        if per == "token":
            scores /= [len(pair.choice) for pair in pairs]
        elif per == "character":
            scores /= [len(choice.strip()) or len(choice) for choice in choices]
        self.scored += len(pairs)
        self.truncated += sum(pair.truncated for pair in pairs)
        self.merged += sum(pair.merged for pair in pairs)
        return scores.reshape(len(prompts), -1)

    def _sums(self, pairs: Sequence[ScoredTokens]) -> Scores:
        """The sum of the log-probabilities of each pair's choice: float64 [len(pairs)]."""
        rows = _rows(pairs)
        sums = np.zeros(len(pairs))
        for batch in token_batches([len(row.ids) for row in rows], self._budget):
            for part in _bounded(batch.tolist(), rows, self._logits.vocabulary):
                values = self._fit(
                    lambda some: self._forward([rows[index] for index in some]),
                    part,
                    max(len(rows[index].ids) for index in part),
                )
                owners = [asked.pair for index in part for asked in rows[index].asked]
                np.add.at(sums, owners, torch.cat(values).double().cpu().numpy())
        broken = np.flatnonzero(np.isnan(sums))
        if len(broken):
            raise LatentError(
                f"{self._name} gave NaN for {len(broken)} of {len(sums)} choices",
                hint="Compute in float32 or bfloat16 if it was float16; else the weights may be "
                "damaged.",
            )
        return sums

    @torch.inference_mode()
    def _forward(self, rows: Sequence[_Row]) -> torch.Tensor:
        """Log-probabilities of what is asked of rows, one after the other: float32 [asked]."""
        inputs = self._inputs([row.ids for row in rows])
        starts = inputs["attention_mask"].argmax(dim=1).tolist()
        places: dict[tuple[int, int], int] = {}  # each is computed once, whoever asks
        wanted = [
            (places.setdefault((index, start + asked.place), len(places)), asked.token)
            for index, (start, row) in enumerate(zip(starts, rows, strict=True))
            for asked in row.asked
        ]
        device = inputs["attention_mask"].device
        at, columns = torch.tensor(list(places), device=device).unbind(dim=1)
        which, ids = torch.tensor(wanted, device=device).unbind(dim=1)
        logits = self._logits(at, columns, inputs)
        return torch.log_softmax(logits, dim=-1, dtype=torch.float32)[which, ids]


class _Asked(NamedTuple):
    """One token of a choice: after which place of a row it comes, and for which pair it counts."""

    place: int
    token: int
    pair: int


@dataclass
class _Row:
    """What the model reads at once, and what it is asked about it."""

    ids: Ids
    asked: list[_Asked] = field(default_factory=list)


def _rows(pairs: Sequence[ScoredTokens]) -> list[_Row]:
    """What is to be read for the pairs: nothing twice, nothing that another row begins with."""
    distinct: dict[Ids, _Row] = {}
    for number, pair in enumerate(pairs):
        ids = pair.context + pair.choice[:-1]
        row = distinct.setdefault(ids, _Row(ids))
        first = len(pair.context) - 1
        row.asked += [_Asked(first + k, token, number) for k, token in enumerate(pair.choice)]
    rows: list[_Row] = []
    for ids in sorted(distinct):  # rows that go on from a row come right after it
        row = distinct[ids]
        if rows and ids[: len(rows[-1].ids)] == rows[-1].ids:
            row.asked += rows.pop().asked
        rows.append(row)
    return rows


def _bounded(batch: list[int], rows: Sequence[_Row], vocabulary: int) -> Iterator[list[int]]:
    """Parts of a batch, of so many logits each as may be held at once."""
    part: list[int] = []
    logits = 0
    for index in batch:
        more = vocabulary * len({asked.place for asked in rows[index].asked})
        if part and logits + more > _LOGITS_AT_ONCE:
            yield part
            part, logits = [], 0
        part.append(index)
        logits += more
    yield part


def _table(
    prompts: Sequence[str], choices: Sequence[str] | Sequence[Sequence[str]]
) -> list[list[str]]:
    """The choices after each prompt, equally many."""
    nothing = DataError("there are no choices", hint="Give at least one choice for each prompt.")
    if not isinstance(choices, Iterable):
        raise DataError(
            f"choices of type {type(choices).__name__}",
            hint="Give texts, or a sequence of texts for each prompt.",
        )
    if not len(choices):
        raise nothing
    if isinstance(choices, str) or any(isinstance(choice, str) for choice in choices):
        table = [as_texts(choices)] * len(prompts)  # type: ignore[arg-type]
    else:
        table = [as_texts(row) for row in choices]
        if len(table) != len(prompts):
            raise DataError(
                f"there are choices for {len(table)} prompts, but {len(prompts)} prompts",
                hint="Give the choices of each prompt, or one sequence of texts for all.",
            )
    counts = [len(row) for row in table]
    if not all(counts):
        raise nothing
    for index, count in enumerate(counts):
        if count != counts[0]:
            raise DataError(
                f"prompt {index} has {count} choices, and prompt 0 has {counts[0]}",
                hint="Give the same number of choices for each prompt, or score them separately.",
            )
    return table
