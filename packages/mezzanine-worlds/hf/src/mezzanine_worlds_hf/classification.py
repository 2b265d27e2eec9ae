"""The world ``hf_dataset``: texts or images and their classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mezzanine_core.errors import ConfigError
from mezzanine_core.worlds import Frame
from mezzanine_worlds_hf.config import HFDatasetConfig
from mezzanine_worlds_hf.contents import Contents, image_contents, text_contents, texts_of
from mezzanine_worlds_hf.fields import IMAGE, LABEL, TEXT, find_field, listed, with_usual_name
from mezzanine_worlds_hf.frames import frame_of
from mezzanine_worlds_hf.labels import Truth
from mezzanine_worlds_hf.records import texts_of_records
from mezzanine_worlds_hf.templates import parse_template
from mezzanine_worlds_hf.world import HFWorld

if TYPE_CHECKING:
    from datasets import Dataset


class HFDatasetWorld(HFWorld[HFDatasetConfig]):
    """Texts or images and their classes.

    Args:
        config: The world's settings.
    """

    family = "hf_dataset"
    truth = Truth("false", "true", words=False)

    def frame_records(self, records: Sequence[Mapping[str, Any]]) -> tuple[list[str], Frame | None]:
        """See :meth:`HFWorld.frame_records`; a record has the text, say ``{"text": …}``."""
        texts = texts_of_records(records, "text_field", self.config.text_field, TEXT)
        return texts, self._frame(len(texts))

    def _fields(self, names: Sequence[str], where: str) -> dict[str, str]:
        config = self.config
        label = find_field("label_field", config.label_field, LABEL, names, where)
        text, image = config.text_field, config.image_field
        if text is None and image is None:
            texts, images = (with_usual_name(usual, names) for usual in (TEXT, IMAGE))
            if texts and images:
                raise ConfigError(
                    f"{where} has the fields {listed(names)}, and whether texts or images are "
                    "classified is not plain",
                    hint="Name one of them with --text_field or --image_field.",
                )
            kind = "image" if images else "text"
        elif text is not None and image is not None:
            raise ConfigError(
                f"text_field={text!r} and image_field={image!r} are both given",
                hint="Give the one that is classified.",
            )
        else:
            kind = "text" if image is None else "image"
        given, usual = (text, TEXT) if kind == "text" else (image, IMAGE)
        if kind == "image" and config.template is not None:
            raise ConfigError("a template stands around texts, but images are classified")
        return {kind: find_field(f"{kind}_field", given, usual, names, where), "label": label}

    def _contents(self, rows: Dataset, fields: Mapping[str, str], split: str) -> Contents:
        if "image" in fields:
            return image_contents(rows, fields["image"], split)
        texts = texts_of(rows, fields["text"], split)
        return text_contents(texts, frame=lambda chosen: self._frame(len(chosen)))

    def _frame(self, count: int) -> Frame | None:
        if self.config.template is None:
            return None
        return frame_of(parse_template(self.config.template, ("text",)), "text", {}, count)
