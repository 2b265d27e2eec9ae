import pytest
from pydantic import ValidationError

from mezzanine_worlds_hf.config import HFDatasetConfig, HFQAConfig


def test_the_data_set_has_to_be_named() -> None:
    with pytest.raises(ValidationError, match="dataset"):
        HFDatasetConfig.model_validate({})


@pytest.mark.parametrize("given", ["no,yes", "no, yes,", ["no", "yes"]])
def test_label_names_are_read_from_text_and_from_lists(given: object) -> None:
    config = HFQAConfig.model_validate({"dataset": "x", "label_names": given})
    assert config.label_names == ("no", "yes")


@pytest.mark.parametrize(
    "setting",
    [
        {"dataset": ""},
        {"n_train": 0},
        {"n_test": -1},
        {"overlap": "fail"},
        {"empty": "keep"},
        {"label_names": "a,b,a"},
        {"label_names": "a"},
        {"text_field": ""},
        {"n_trian": 10},
    ],
    ids=str,
)
def test_values_out_of_range_and_unknown_keys_are_refused_by_name(setting: dict) -> None:
    with pytest.raises(ValidationError, match=next(iter(setting))):
        HFDatasetConfig.model_validate({"dataset": "x", **setting})


@pytest.mark.parametrize(
    ("model", "template", "what"),
    [
        (HFDatasetConfig, "Text: {txt}", r"unknown field \{txt\}.*\{text\} once each"),
        (HFDatasetConfig, "no placeholder", r"\{text\} 0 times"),
        (HFDatasetConfig, "{text} {text}", r"\{text\} 2 times"),
        (HFDatasetConfig, "{text!r}", r"unknown field \{text!r\}"),
        (HFDatasetConfig, "{text", "cannot be read"),
        (HFQAConfig, "{passage}", r"\{question\} 0 times"),
        (HFQAConfig, "{passage} {question} {answer}", r"unknown field \{answer\}.*\{title\}"),
        (HFQAConfig, "{title} {title} {passage} {question}", r"\{title\} 2 times"),
    ],
)
def test_a_template_with_other_fields_is_answered_with_those_there_are(
    model, template, what
) -> None:
    with pytest.raises(ValidationError, match=what):
        model.model_validate({"dataset": "x", "template": template})
