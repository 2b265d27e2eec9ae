"""Texts out of the records that a user gives for prediction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mezzanine_core.errors import ConfigError, DataError
from mezzanine_worlds_hf.fields import find_field


def texts_of_records(
    records: Sequence[Mapping[str, Any]], setting: str, given: str | None, usual: Sequence[str]
) -> list[str]:
    """One text of each record: of the field that a setting names, or of one with a usual name.

    Args:
        records: Field → value.
        setting: Name of the setting, such as ``text_field``.
        given: Its value; a record that lacks this field is read by the usual names.
        usual: Usual names.

    Raises:
        DataError: If a record has no such field or several, or it holds no text or an empty one.
    """
    texts = []
    for number, record in enumerate(records):
        where = f"record {number}"
        try:
            named = given if given in record else None
            field = find_field(setting, named, usual, list(record), where)
        except ConfigError as error:
            raise DataError(
                error.message, hint=f"Call the field {given or usual[0]!r} in every record."
            ) from error
        text = record[field]
        if not isinstance(text, str) or not text.strip():
            raise DataError(f"the field {field!r} of {where} holds no text: {text!r:.80}")
        texts.append(text)
    return texts
