"""What this distribution brings: the worlds ``hf_dataset`` and ``hf_qa``."""

from __future__ import annotations

from mezzanine_core import Spec, hookimpl


@hookimpl
def mezz_worlds() -> list[Spec]:
    """Announce the worlds."""
    return [
        Spec(
            kind="world",
            name="hf_dataset",
            summary="Classified texts or images: a hub data set, or local parquet, CSV, JSON lines",
            config="mezzanine_worlds_hf.config:HFDatasetConfig",
            factory="mezzanine_worlds_hf.classification:HFDatasetWorld",
            tags=("labelled", "text", "image", "huggingface"),
        ),
        Spec(
            kind="world",
            name="hf_qa",
            summary="Questions about passages with a few possible answers, such as BoolQ",
            config="mezzanine_worlds_hf.config:HFQAConfig",
            factory="mezzanine_worlds_hf.questions:HFQAWorld",
            tags=("labelled", "text", "question-answering", "huggingface"),
        ),
    ]
