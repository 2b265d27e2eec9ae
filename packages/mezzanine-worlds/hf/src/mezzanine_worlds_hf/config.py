"""Settings of the worlds. Imports neither ``datasets`` nor numpy."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from mezzanine_core.config import WorldConfig
from mezzanine_worlds_hf.templates import parse_template

QA_FIELDS = ("passage", "question")
"""Placeholders that the template of `hf_qa` must have."""

QA_OPTIONAL = ("title",)
"""Placeholders that it may have."""

_FIELD = "by default found among the usual names"


def _listed(value: Any) -> Any:
    """Read ``no,yes`` as a list."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


def _distinct(names: tuple[str, ...]) -> tuple[str, ...]:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"each class has a name of its own, but {', '.join(twice)} comes again")
    if len(names) == 1:
        raise ValueError(f"a classification has two classes at least, but {names[0]!r} is alone")
    return names


def _text_template(template: str | None) -> str | None:
    if template is not None:
        parse_template(template, ("text",))
    return template


def _qa_template(template: str) -> str:
    parse_template(template, QA_FIELDS, QA_OPTIONAL)
    return template


FieldName = Annotated[str, Field(min_length=1)]
"""Name of a column of the data."""

LabelNames = Annotated[tuple[str, ...], BeforeValidator(_listed), AfterValidator(_distinct)]
"""Names of different classes; read from a list or from text with commas."""


class HFWorldConfig(WorldConfig):
    """Settings that both worlds have."""

    dataset: str = Field(
        min_length=1,
        description="A hub id, a local folder or file (parquet, CSV, JSON lines), or what "
        "`save_to_disk` wrote",
    )
    revision: str | None = Field(
        None, min_length=1, description="Branch, tag or commit on the hub; the default branch"
    )
    subset: str | None = Field(
        None, min_length=1, description="Which configuration of the data set, or which subfolder"
    )
    train_split: str | None = Field(
        None, min_length=1, description="Split to train on; by default `train`, or the only one"
    )
    test_split: str | None = Field(
        None,
        min_length=1,
        description="Split to test on; by default the first there is of test, validation, dev and "
        "val; where there is none, items of the training split are set apart",
    )
    n_train: int | None = Field(None, ge=1, description="Training items; by default all there are")
    n_test: int | None = Field(
        None,
        ge=1,
        description="Test items; by default all there are, and a fifth where they are set apart "
        "from the training split",
    )
    label_names: LabelNames = Field(
        (), description="Names of the classes 0, 1, …; by default those of the data"
    )
    overlap: Literal["drop", "keep"] = Field(
        "drop", description="What becomes of training items whose text or image is a test item too"
    )
    empty: Literal["error", "drop"] = Field(
        "error", description="What becomes of items without text: stop, or leave them out"
    )


class HFDatasetConfig(HFWorldConfig):
    """Which texts or images are classified, and where they come from."""

    text_field: FieldName | None = Field(None, description=f"Field of the text; {_FIELD}")
    image_field: FieldName | None = Field(None, description=f"Field of the image; {_FIELD}")
    label_field: FieldName | None = Field(None, description=f"Field of the label; {_FIELD}")
    template: Annotated[str | None, AfterValidator(_text_template)] = Field(
        None, description="What stands around each text where an encoder reads it, with {text}"
    )


class HFQAConfig(HFWorldConfig):
    """Which questions about passages are answered, and where they come from."""

    passage_field: FieldName | None = Field(None, description=f"Field of the passage; {_FIELD}")
    question_field: FieldName | None = Field(None, description=f"Field of the question; {_FIELD}")
    answer_field: FieldName | None = Field(None, description=f"Field of the answer; {_FIELD}")
    title_field: FieldName = Field(
        "title", description="Field of the title, where one is asked for"
    )
    template: Annotated[str, AfterValidator(_qa_template)] = Field(
        "{passage}\nQuestion: {question}?\nAnswer:",
        description="What an encoder reads, with {passage} and {question}, and {title} if wanted; "
        "a question that ends in `?` gets no second one",
    )
