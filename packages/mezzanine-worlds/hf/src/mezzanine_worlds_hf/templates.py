"""Templates: what stands around a text where an encoder reads it. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import Formatter

QUESTION = "question"
"""The placeholder whose own question mark gives way to the template's."""


@dataclass(frozen=True)
class Piece:
    """A stretch of literal text, and the placeholder that follows it (the last one has none)."""

    literal: str
    field: str | None


@dataclass(frozen=True)
class Template:
    """A text with placeholders in braces; doubled braces stand for themselves.

    Attributes:
        pieces: The text, cut behind each placeholder.
    """

    pieces: tuple[Piece, ...]

    @property
    def fields(self) -> tuple[str, ...]:
        """The placeholders, in their order."""
        return tuple(piece.field for piece in self.pieces if piece.field is not None)

    def around(self, text: str, values: Mapping[str, str]) -> tuple[str, str]:
        """What stands before and behind one placeholder, with the others filled in.

        A question that ends in question marks loses them where the template has one there.

        Args:
            text: The placeholder that is left open; it must occur once.
            values: What the others stand for.
        """
        sides: list[list[str]] = [[], []]
        side = 0
        for place, piece in enumerate(self.pieces):
            sides[side].append(piece.literal)
            if piece.field == text:
                side = 1
            elif piece.field is not None:
                value = values[piece.field]
                following = self.pieces[place + 1].literal if place + 1 < len(self.pieces) else ""
                if piece.field == QUESTION and following.startswith("?"):
                    value = value.rstrip().rstrip("?").rstrip()
                sides[side].append(value)
        return "".join(sides[0]), "".join(sides[1])


def parse_template(
    template: str, required: Sequence[str], optional: Sequence[str] = ()
) -> Template:
    """Read a template.

    Args:
        template: Text with placeholders such as ``{text}``.
        required: Placeholders that it must have, once each.
        optional: Placeholders that it may have, once each.

    Raises:
        ValueError: If braces do not match, or a placeholder is unknown, missing or repeated; the
            message lists those there are.
    """
    known = [*required, *optional]
    there_are = " and ".join("{" + name + "}" for name in required) + " once each"
    if optional:
        there_are += ", and may have " + " and ".join("{" + name + "}" for name in optional)
    try:
        parsed = list(Formatter().parse(template))
    except ValueError as error:
        raise ValueError(
            f"template {template!r} cannot be read ({error}); it must have {there_are}, and a "
            "brace that is meant as such is doubled"
        ) from error
    for _, name, spec, conversion in parsed:
        if name is not None and (name not in known or spec or conversion):
            whole = name + (f"!{conversion}" if conversion else "") + (f":{spec}" if spec else "")
            raise ValueError(
                f"template {template!r} has the unknown field {{{whole}}}; it must have {there_are}"
            )
    pieces = tuple(Piece(literal, name) for literal, name, _, _ in parsed)
    names = [piece.field for piece in pieces if piece.field is not None]
    wrong = [n for n in known if names.count(n) > 1 or (n in required and n not in names)]
    if wrong:
        counts = " and ".join(f"{{{name}}} {names.count(name)} times" for name in wrong)
        raise ValueError(f"template {template!r} has {counts}; it must have {there_are}")
    return Template(pieces)
