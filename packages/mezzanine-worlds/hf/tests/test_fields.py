import pytest

from mezzanine_core.errors import ConfigError
from mezzanine_worlds_hf.fields import LABEL, TEXT, find_field


@pytest.mark.parametrize("name", ["text", "Sentence", "review"])
def test_a_field_is_found_by_a_usual_name(name: str) -> None:
    assert find_field("text_field", None, TEXT, ["id", name, "label"], "here") == name


def test_a_named_field_wins_over_usual_names() -> None:
    assert find_field("text_field", "headline", TEXT, ["text", "headline"], "here") == "headline"


@pytest.mark.parametrize(
    ("given", "fields"),
    [(None, ["idx", "coarse", "fine"]), (None, ["label", "class"]), ("label", ["id", "tag"])],
)
def test_a_field_that_is_missing_or_not_plain_is_answered_with_all(given, fields) -> None:
    with pytest.raises(ConfigError, match="fields " + ", ".join(fields)) as caught:
        find_field("label_field", given, LABEL, fields, "the split 'train'")
    assert "--label_field" in str(caught.value.hint)
