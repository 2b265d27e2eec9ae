"""Which columns of a data set hold what."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from mezzanine_core.errors import ConfigError

TEXT = ("text", "sentence", "content", "review", "document", "comment", "tweet")
IMAGE = ("image", "img")
LABEL = ("label", "labels", "class", "category", "target", "sentiment")
PASSAGE = ("passage", "context", "paragraph")
QUESTION = ("question", "query")
ANSWER = ("answer", "answers", "label", "labels")


def find_field(
    setting: str, given: str | None, usual: Sequence[str], fields: Sequence[str], where: str
) -> str:
    """The field that a setting names, or the only one with a usual name.

    Args:
        setting: Name of the setting, such as ``text_field``.
        given: Its value.
        usual: Usual names, compared without regard to case.
        fields: The fields there are.
        where: What has them, for the message.

    Raises:
        ConfigError: If the named field is not there, or none or several have a usual name; the
            message lists the fields.
    """
    if given is not None:
        if given not in fields:
            raise ConfigError(
                f"{setting}={given!r}, but {where} has the fields {listed(fields)}",
                hint=f"Set --{setting} to one of them.",
            )
        return given
    found = with_usual_name(usual, fields)
    if len(found) == 1:
        return found[0]
    what = f"several are called like one: {listed(found)}" if found else "none has a usual name"
    raise ConfigError(
        f"{where} has the fields {listed(fields)}, and which is the {setting} is not plain: {what}",
        hint=f"Name it with --{setting}.",
    )


def with_usual_name(usual: Collection[str], fields: Iterable[str]) -> list[str]:
    """The fields that have one of the usual names."""
    return [field for field in fields if field.casefold() in usual]


def listed(names: Iterable[object]) -> str:
    """Names as a reader lists them; ``(none)`` where there are none."""
    return ", ".join(map(str, names)) or "(none)"
