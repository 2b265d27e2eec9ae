"""The symmetry ``order``: sentences, lines or items in another order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from mezzanine_core.builtin.configs import OrderConfig
from mezzanine_core.builtin.permutations import Parts, Permutation, PermutationSymmetry
from mezzanine_core.builtin.sentences import split_lines, split_sentences
from mezzanine_core.errors import DataError
from mezzanine_core.symmetries import value_key

Ordered = str | Sequence[Any]
"""A text, or a list or tuple of JSON-able items."""


class Order(PermutationSymmetry[OrderConfig, Ordered]):
    """Orders of the sentences or lines of a text, or of the items of a list.

    Units move between separators (spaces, line breaks, ``<br>`` tags) that stay where they are, so
    paragraphs keep their lengths, and the identity gives the text back to the letter. Repeated
    sentences are one and the same: the orbit holds each distinct text once. How sentences are told
    apart is described in :func:`~mezzanine_core.builtin.sentences.split_sentences`.

    A first sentence that starts in lower case and a last one without a full stop stay in place,
    because elsewhere they would run into their neighbours.
    """

    family: ClassVar[str] = "order"
    code_version: ClassVar[int] = 1

    def parts(self, x: Ordered) -> Parts[Ordered]:
        """The units of ``x``, with those kept in place by the settings or for want of a stop.

        Raises:
            DataError: If ``x`` is a text and the unit is ``items``, or the other way round.
        """
        unit = self.config.unit
        if isinstance(x, str) == (unit == "items") or not isinstance(x, Sequence):
            expected = "a list or tuple" if unit == "items" else "a text"
            raise DataError(
                f"order of {unit} takes {expected}, not {type(x).__name__}",
                hint="Set the symmetry's unit to sentences, lines or items to suit the data.",
            )
        first, last = self.config.keep_first, self.config.keep_last
        if not isinstance(x, str):
            items = x

            def rejoin(order: Permutation) -> Sequence[Any]:
                arranged = [items[place] for place in order]
                return tuple(arranged) if isinstance(items, tuple) else arranged

            return Parts([value_key(item) for item in items], rejoin, first, last)
        segments = split_sentences(x) if unit == "sentences" else split_lines(x)
        return Parts(
            segments.units,
            segments.join,
            first=max(first, segments.pin_first),
            last=max(last, segments.pin_last),
        )
