"""What the working example of each kind is, in a few words for its package."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mezzanine_core.specs import Kind


@dataclass(frozen=True, slots=True)
class Example:
    """The example that a new package of one kind starts from.

    Attributes:
        summary: One line, for a package that was given no description.
        command: A command that uses it; ``$name`` stands for its short name.
        tags: Words to filter listings by.
    """

    summary: str
    command: str
    tags: tuple[str, ...]


EXAMPLES: Mapping[Kind, Example] = {
    "world": Example(
        "A puck on a table: frames before and after it was pushed",
        "mezz run latent_dynamics --world $name --encoder pixels",
        ("transitions", "image", "simulator"),
    ),
    "symmetry": Example(
        "Quarter turns and mirror images of a square image",
        "mezz run symmetry_distill --world hf_dataset --dataset FOLDER --symmetry $name "
        "--encoder pixels",
        ("image", "exact"),
    ),
    "encoder": Example(
        "Counts of the letter groups of a text, hashed and normalised",
        "mezz run hf_text_order_distill --encoder $name",
        ("text", "baseline", "offline"),
    ),
    "recipe": Example(
        "Asks whether latents hold the labels: a nearest-centroid probe",
        "mezz run $name",
        ("labelled", "probe"),
    ),
    "tracker": Example(
        "Writes metrics to a CSV file in the run directory",
        "mezz run latent_dynamics --log $name",
        ("file", "offline"),
    ),
    "executor": Example(
        "Threads of this process",
        "mezz run latent_dynamics --executor $name",
        ("local",),
    ),
}
"""The example of each kind."""
