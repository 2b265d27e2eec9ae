"""The symmetry ``factorization``: pieces of key-value evidence in another order."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from mezzanine_core.builtin.configs import FactorizationConfig
from mezzanine_core.builtin.permutations import Parts, Permutation, PermutationSymmetry
from mezzanine_core.errors import DataError
from mezzanine_core.symmetries import value_key

Evidence = str | Mapping[str, Any] | Sequence[tuple[str, Any]]
"""Rendered evidence, or a mapping or list of pairs that :meth:`Factorization.render` renders."""


class Factorization(PermutationSymmetry[FactorizationConfig, Evidence]):
    """Orders of evidence that is a set of keys with values, where the order carries no meaning.

    Acts on evidence as a mapping (whose insertion order counts), as a list of pairs, or as the text
    that these are rendered to, and gives the same kind back. Rendering and acting commute.
    """

    family: ClassVar[str] = "factorization"
    code_version: ClassVar[int] = 1

    def __init__(self, config: FactorizationConfig) -> None:
        super().__init__(config)
        pieces = re.split(r"(\{key\}|\{value\})", config.template)
        patterns = {"{key}": ".+?", "{value}": ".*"}
        self._entry = re.compile(
            "".join(patterns.get(piece, re.escape(piece)) for piece in pieces), re.DOTALL
        )

    def render(self, evidence: Evidence) -> str:
        """Write evidence as text, one piece after another in its order.

        Raises:
            DataError: If a key or value holds the separator, so that the text would be ambiguous.
        """
        if isinstance(evidence, str):
            return evidence
        entries = [self._write(key, value) for key, value in _pairs(evidence)]
        return self._join(entries)

    def parts(self, x: Evidence) -> Parts[Evidence]:
        """The pieces of evidence; a separator at the end of a text stays there.

        Raises:
            DataError: If a piece that may move does not fit the template, or ``x`` is neither text
                nor a mapping nor a list of pairs.
        """
        first = self.config.keep_first
        if isinstance(x, str):
            return self._text_parts(x)
        pairs = _pairs(x)
        evidence = x

        def rejoin(order: Permutation) -> Evidence:
            arranged = [pairs[place] for place in order]
            if isinstance(evidence, Mapping):
                return dict(arranged)
            return tuple(arranged) if isinstance(evidence, tuple) else arranged

        return Parts([value_key([*pair]) for pair in pairs], rejoin, first)

    def _text_parts(self, text: str) -> Parts[Evidence]:
        separator = self.config.separator
        body = text.removesuffix(separator)
        entries = body.split(separator) if body else []
        for entry in entries[self.config.keep_first :]:
            if not self._entry.fullmatch(entry):
                raise DataError(
                    f"evidence {entry[:80]!r} does not fit the template {self.config.template!r}",
                    hint="Set the symmetry's template and separator to how the text is written, "
                    "or keep_first to the number of leading pieces that are no evidence.",
                )

        def rejoin(order: Permutation) -> str:
            return self._join([entries[place] for place in order]) + text[len(body) :]

        return Parts(entries, rejoin, self.config.keep_first)

    def _write(self, key: str, value: Any) -> str:
        before, _, after = self.config.template.partition("{key}")
        return f"{before.replace('{value}', str(value))}{key}{after.replace('{value}', str(value))}"

    def _join(self, entries: list[str]) -> str:
        text = self.config.separator.join(entries)
        if entries and text.split(self.config.separator) != entries:
            raise DataError(
                f"evidence {text[:80]!r} holds the separator {self.config.separator!r} inside a "
                "piece, so its pieces cannot be told apart",
                hint="Choose a separator that no key or value contains.",
            )
        return text


def _pairs(evidence: Any) -> list[tuple[str, Any]]:
    """Keys and values in order; pairs are kept as the objects they are."""
    if isinstance(evidence, Mapping):
        return list(evidence.items())
    if isinstance(evidence, Sequence) and all(
        isinstance(pair, Sequence) and not isinstance(pair, str) and len(pair) == 2
        for pair in evidence
    ):
        return list(evidence)
    raise DataError(
        f"factorization takes text, a mapping or a list of pairs, not {type(evidence).__name__}"
    )
