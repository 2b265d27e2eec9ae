"""The world ``hf_qa``: passages, questions about them, and which of a few answers is right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mezzanine_core.worlds import Frame
from mezzanine_worlds_hf.config import QA_FIELDS, QA_OPTIONAL, HFQAConfig
from mezzanine_worlds_hf.contents import Contents, text_contents, texts_of
from mezzanine_worlds_hf.fields import ANSWER, PASSAGE, QUESTION, find_field
from mezzanine_worlds_hf.frames import frame_of
from mezzanine_worlds_hf.labels import Truth
from mezzanine_worlds_hf.records import texts_of_records
from mezzanine_worlds_hf.sampling import Rows
from mezzanine_worlds_hf.templates import Template, parse_template
from mezzanine_worlds_hf.world import HFWorld

if TYPE_CHECKING:
    from datasets import Dataset


class HFQAWorld(HFWorld[HFQAConfig]):
    """Passages with a question each; the label is the answer.

    Items are the passages, on which symmetries act; the question stands in the frame around them.
    Training and test share no passage.

    Args:
        config: The world's settings.
    """

    family = "hf_qa"
    truth = Truth("no", "yes", words=True)

    def frame_records(self, records: Sequence[Mapping[str, Any]]) -> tuple[list[str], Frame | None]:
        """See :meth:`HFWorld.frame_records`; a record has a passage and a question."""
        config = self.config
        passages = texts_of_records(records, "passage_field", config.passage_field, PASSAGE)
        others = {
            "question": texts_of_records(records, "question_field", config.question_field, QUESTION)
        }
        if "title" in self._template.fields:
            others["title"] = texts_of_records(
                records, "title_field", config.title_field, ("title",)
            )
        return passages, frame_of(self._template, "passage", others, len(passages))

    @property
    def _template(self) -> Template:
        return parse_template(self.config.template, QA_FIELDS, QA_OPTIONAL)

    def _fields(self, names: Sequence[str], where: str) -> dict[str, str]:
        config = self.config
        fields = {
            "passage": find_field("passage_field", config.passage_field, PASSAGE, names, where),
            "question": find_field("question_field", config.question_field, QUESTION, names, where),
            "label": find_field("answer_field", config.answer_field, ANSWER, names, where),
        }
        if "title" in self._template.fields:
            fields["title"] = find_field("title_field", config.title_field, (), names, where)
        return fields

    def _contents(self, rows: Dataset, fields: Mapping[str, str], split: str) -> Contents:
        template = self._template
        passages = texts_of(rows, fields["passage"], split)
        others = {
            name: texts_of(rows, fields[name], split)
            for name in template.fields
            if name != "passage"
        }

        def frame(chosen: Rows) -> Frame:
            numbers = chosen.tolist()
            some = {name: [texts[row] for row in numbers] for name, texts in others.items()}
            return frame_of(template, "passage", some, len(numbers))

        questions = others["question"]
        both = [f"{p}\0{q}" for p, q in zip(passages, questions, strict=True)]
        contents = text_contents(passages, both, frame)
        contents.blank[:] |= [not question.strip() for question in questions]
        return contents
