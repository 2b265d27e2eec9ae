"""What the encoders share: what is said of precision, and what is computed in."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from mezzanine_encoders_hf import model
from mezzanine_encoders_hf.config import HFLanguageConfig, Precision
from mezzanine_encoders_hf.language import HFLanguage
from mezzanine_encoders_hf.products import blas_is_slow


@pytest.mark.parametrize(
    ("dtype", "level", "advice"),
    [("auto", "INFO", "--dtype bfloat16"), ("bfloat16", "WARNING", "--dtype float32")],
)
def test_the_faster_precision_is_named_with_what_it_gains_as_measured(
    checkpoint: Callable[[str], Path],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    dtype: Precision,
    level: str,
    advice: str,
) -> None:
    gain = model._matmul_gain(torch.device("cpu"), quickened=blas_is_slow())
    # Which of the two is faster is the machine's affair: any gain or loss is worth saying here.
    monkeypatch.setattr(model, "_WORTH_SAYING", 1.0)
    caplog.set_level(logging.INFO, "mezzanine_encoders_hf")
    encoder = HFLanguage(HFLanguageConfig(model_name=str(checkpoint("bert")), dtype=dtype))
    encoder.encode(["A text."])
    said = [record for record in caplog.records if record.name == model.__name__]
    if (dtype == "auto") == (gain >= 1):
        (record,) = said
        assert record.levelname == level
        assert advice in record.getMessage()
        assert f"{max(gain, 1 / gain):.1f} times as fast" in record.getMessage()
    else:
        assert not said


def test_float32_says_nothing_of_precision(
    checkpoint: Callable[[str], Path],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(model, "_WORTH_SAYING", 0.0)
    caplog.set_level(logging.INFO, "mezzanine_encoders_hf")
    HFLanguage(HFLanguageConfig(model_name=str(checkpoint("bert")), dtype="float32")).encode(["A."])
    assert not caplog.records


@pytest.mark.parametrize(
    ("dtype", "computed"), [("auto", torch.float32), ("bfloat16", torch.bfloat16)]
)
def test_weights_are_of_the_precision_and_latents_float32(
    checkpoint: Callable[[str], Path], dtype: Precision, computed: torch.dtype
) -> None:
    encoder = HFLanguage(HFLanguageConfig(model_name=str(checkpoint("bert")), dtype=dtype))
    assert encoder.encode(["A text."]).dtype == "float32"
    assert {parameter.dtype for parameter in encoder.model.parameters()} == {computed}
