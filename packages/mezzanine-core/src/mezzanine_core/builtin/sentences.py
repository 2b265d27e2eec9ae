"""Splitting text into units that can change places and still be told apart afterwards."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

Span = tuple[int, int]

_GAP = re.compile(r"(?:\s|<br\s*/?>)+", re.IGNORECASE)
_LINE_GAP = re.compile(r"\s*\n\s*")
_STOP = re.compile(r"(?<![.!?…])([.!?…]+)[\"'”\u2019»)\]]*\Z")
_START = re.compile(r"[\"'“\u2018«(\[¿¡$€£¥#@]*([^\W_])")
_MARK = re.compile(r"[\"“”«»()\[\]]")
_INITIALS = re.compile(r"[^\W\d_]\.|(?:[^\W\d_]{1,2}\.){2,}")
_LIST_MARKER = re.compile(r"\W*(?:\d+|[^\W\d_])\W+")
_EMOTICON = re.compile(r"[:;=][-']?\Z")
_CLOSER_OF = {"“": "”", "«": "»", "(": ")", "[": "]"}
_OPENER_OF = {closer: opener for opener, closer in _CLOSER_OF.items()}
_BEFORE_WORD = "\"'“\u2018«(["
_BEFORE_OPENING_QUOTE = frozenset(">([“«-\u2013—'")

_ABBREVIATION = re.compile(
    r"""(?:mr|mrs|ms|messrs|mme|mlle|dr|prof|st|rev|hon|gen|sen|rep|gov|pres|lt|col|sgt|capt|cmdr
    |maj|cpl|pvt|adm|supt|insp|jr|sr|bros|inc|corp|co|ltd|llc|plc|no|nos|vol|vols|eds|fig|figs|eq
    |sec|pp|cf|vs|viz|approx|appt|dept|univ|assn|ave|blvd|rd|mt|ft|jan|feb|mar|apr|jun|jul|aug|sep
    |sept|oct|nov|dec|tue|tues|wed|thu|thur|thurs|fri)[.]|yahoo!""",
    re.IGNORECASE | re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Segments:
    """A text taken apart: ``separators[0] + units[0] + separators[1] + … + separators[-1]``.

    Attributes:
        units: What may change places; not empty, and without separators at their ends.
        separators: What stands before, between and after the units; one more than there are units.
        pin_first: Whether the first unit could not be told from what precedes it elsewhere.
        pin_last: Whether the last unit could not be told from what follows it elsewhere.
    """

    units: tuple[str, ...]
    separators: tuple[str, ...]
    pin_first: bool = False
    pin_last: bool = False

    def join(self, order: Sequence[int]) -> str:
        """The text with its units in another order, and the separators where they were."""
        pieces = [self.separators[0]]
        for place, separator in zip(order, self.separators[1:], strict=True):
            pieces += (self.units[place], separator)
        return "".join(pieces)


def split_lines(text: str) -> Segments:
    """Split text into its lines; blank lines and indentation belong to the separators."""
    content = text.strip()
    start = len(text) - len(text.lstrip()) if content else len(text)
    cuts = [(start + first, start + last) for first, last in _spans(_LINE_GAP, content)]
    return _segments(text, (start, start + len(content)), cuts)


@lru_cache(maxsize=16)  # Each of the views of a text asks for its sentences again.
def split_sentences(text: str) -> Segments:
    """Split text into sentences, by rules that look at one sentence at a time.

    A sentence ends with ``.``, ``!``, ``?`` or an ellipsis, and closing quotes or brackets after
    it, before white space or a ``<br>`` tag, unless

    - the next word starts in lower case (or with neither a letter nor a digit),
    - the stop belongs to an abbreviation (``Mr.``, ``e.g.``, ``U.S.``), to an initial
      (``J. Smith``) or to the marker of a list item (``1.``),
    - a quotation or bracket that was opened in the sentence is still open.

    Where in doubt it does not split: joining two sentences only makes an orbit smaller, while a
    wrong split takes a sentence apart. Languages that put no space between sentences are not split.

    Whether two neighbours are separate is decided by the end of the first and the start of the
    second, and by nothing else. So sentences in another order are split at the same places, and a
    permutation of a permuted text is a permutation of the original. The exceptions are a first
    sentence that starts in lower case, and a last one that lacks its stop or leaves a quotation
    open: these are marked as pinned.
    """
    gaps = _spans(_GAP, text)
    start = gaps.pop(0)[1] if gaps and gaps[0][0] == 0 else 0
    stop = gaps.pop()[0] if gaps and gaps[-1][1] == len(text) else len(text)
    cuts: list[Span] = []
    unit_start = word_start = start
    marks = _Marks(text, start)
    for gap in [*gaps, (stop, stop)]:
        closed = marks.none_open(gap[0]) and _ends(text, unit_start, word_start, gap[0])
        if closed and gap[0] < stop and _starts(text, gap[1]):
            cuts.append(gap)
            unit_start = gap[1]
        word_start = gap[1]
    return _segments(
        text, (start, stop), cuts, pin_first=not _starts(text, start), pin_last=not closed
    )


class _Marks:
    """Keeps track of quotations and brackets that are open, from the start of a unit."""

    def __init__(self, text: str, start: int) -> None:
        self._text = text
        self._scanned = start
        self._quoted = False
        self._open: Counter[str] = Counter()

    def none_open(self, stop: int) -> bool:
        """Whether everything that was opened before ``stop`` was closed again."""
        for match in _MARK.finditer(self._text, self._scanned, stop):
            self._take(match.group(), match.start())
        self._scanned = stop
        return not self._quoted and not self._open.total()

    def _take(self, mark: str, at: int) -> None:
        before = self._text[max(0, at - 2) : at]
        if mark == '"':
            # A straight quote elsewhere, as in 5" or after a lost opening one, opens nothing.
            opens = not before or before[-1].isspace() or before[-1] in _BEFORE_OPENING_QUOTE
            self._quoted = not self._quoted and opens
        elif mark in _CLOSER_OF:
            self._open[mark] += not _EMOTICON.search(before)
        else:
            opener = _OPENER_OF[mark]
            self._open[opener] = max(0, self._open[opener] - 1)


def _ends(text: str, unit: int, word: int, stop: int) -> bool:
    """Whether the unit that starts at ``unit``, its last word at ``word``, can end at ``stop``."""
    match = _STOP.search(text, word, stop)
    if match is None:
        return False
    core = text[word : match.end(1)].lstrip(_BEFORE_WORD)
    if _ABBREVIATION.fullmatch(core):
        return False
    return match.group(1) != "." or not (
        _INITIALS.fullmatch(core) or _LIST_MARKER.fullmatch(text, unit, stop)
    )


def _starts(text: str, at: int) -> bool:
    """Whether what stands at ``at`` can start a sentence."""
    match = _START.match(text, at)
    return match is not None and not match.group(1).islower()


def _spans(pattern: re.Pattern[str], text: str) -> list[Span]:
    return [match.span() for match in pattern.finditer(text)]


def _segments(
    text: str,
    content: Span,
    cuts: Sequence[Span],
    *,
    pin_first: bool = False,
    pin_last: bool = False,
) -> Segments:
    """Cut ``text[content]`` at ``cuts``; everything else is separators."""
    start, stop = content
    if start >= stop:
        return Segments((), (text,))
    gaps = [(0, start), *cuts, (stop, len(text))]
    return Segments(
        units=tuple(text[left[1] : right[0]] for left, right in pairwise(gaps)),
        separators=tuple(text[first:last] for first, last in gaps),
        pin_first=pin_first,
        pin_last=pin_last,
    )
