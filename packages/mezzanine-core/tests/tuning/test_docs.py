"""docs/tuning.md says what there is."""

import re
from pathlib import Path
from typing import get_args

import pytest

from mezzanine_core.tuning.judging import Outcome
from mezzanine_core.tuning.records import Confirmation, RunSummary, TrialRecord, TuningRecord

PAGE = (Path(__file__).parents[4] / "docs" / "tuning.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("model", [TuningRecord, TrialRecord, RunSummary, Confirmation])
def test_every_field_of_the_record_is_documented(model):
    named = set(re.findall(r"`(\w+)`", PAGE))
    assert set(model.model_fields) - named - {"format", "schema_version"} == set()
    assert "`tuning.json`, version 1" in PAGE


@pytest.mark.parametrize("outcome", get_args(Outcome))
def test_every_outcome_of_a_trial_is_explained(outcome):
    assert re.search(rf"^\| {outcome} \||\*{outcome}\*", PAGE, re.MULTILINE)
