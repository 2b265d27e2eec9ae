"""Frames of texts out of a template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mezzanine_core.worlds import Frame
from mezzanine_worlds_hf.templates import Template


def frame_of(
    template: Template, text: str, others: Mapping[str, Sequence[str]], count: int
) -> Frame:
    """What a template puts around each of several texts.

    Args:
        template: The template.
        text: The placeholder that stands for the texts themselves.
        others: For each other placeholder of the template, ``count`` values.
        count: How many texts there are.

    Returns:
        The frame of the texts, in their order.
    """
    sides = [
        template.around(text, {name: values[row] for name, values in others.items()})
        for row in range(count)
    ]
    return Frame([before for before, _ in sides], [after for _, after in sides])
