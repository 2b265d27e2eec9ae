"""What is refused before anything is encoded, and what training keeps in memory."""

import sys
import weakref

import pytest

from mezzanine_core.errors import ConfigError, MissingDependencyError
from mezzanine_encoders_hf.language import HFLanguage
from mezzanine_recipes_distill.adapter_building import adapter_settings


@pytest.fixture
def tiny(tiny_lm):
    """Settings of a small run of the student `adapter` on a model of two blocks."""
    given = {"encoder": "hf_language", "model_name": str(tiny_lm), "adapter_layers": 1}
    given |= {"n_train": 24, "n_test": 12, "adapter_epochs": 1, "adapter_batch": 8}
    return {**given, "students": "adapter"}


def test_missing_peft_is_told_before_encoding(run, tiny, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(MissingDependencyError, match="needs peft"):
        run(**tiny)
    assert not (tmp_path / "cache").exists()


def test_more_layers_than_the_encoder_has_are_refused_before_encoding(run, tiny, tmp_path):
    with pytest.raises(ConfigError, match=r"last 3 blocks, but the encoder has [12] "):
        run(**{**tiny, "adapter_layers": 3})
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize(
    ("settings", "limit"),
    # Latents of the reader have twelve numbers; a fifth of ten items is held out.
    [({"ranks": "13,40"}, 12), ({"ranks": "9", "n_train": 10}, 8)],
)
def test_ranks_that_are_all_too_large_are_refused_before_encoding(run, tmp_path, settings, limit):
    with pytest.raises(ConfigError, match=f"is at most {limit}, the lesser") as caught:
        run(students="head,projection", **settings)
    assert f"at most {limit}" in caught.value.hint
    assert not (tmp_path / "cache").exists()


def test_ranks_play_no_part_without_a_projection(run):
    run(students="head", ranks="40")


@pytest.mark.parametrize("recomputed", [False, True])
def test_one_adapted_copy_of_the_encoder_is_alive_at_a_time(
    run, tiny, tmp_path, monkeypatch, recomputed
):
    edits = tmp_path / "edits.jsonl"
    edits.write_text('{"original": "It was good.", "edited": "It was bad."}\n' * 2)
    copies = []
    original = HFLanguage.trainable

    def trainable(self):
        assert not any(copy() is not None for copy in copies)
        made = original(self)
        copies.append(weakref.ref(made.module))
        return made

    monkeypatch.setattr(HFLanguage, "trainable", trainable)
    settings = {"edits": str(edits), "adapter_checkpointing": recomputed}
    record, _ = run(**tiny, **settings, seeds="0,1,2")
    # One to look at before encoding, one trained in each repetition, and one for each set of items.
    assert len(copies) == 1 + 3 + 2
    assert len(set(record.metrics["adapter"]["accuracy_views"].per_seed)) > 1


def test_the_adapter_waits_as_long_as_it_is_told(make_config):
    assert adapter_settings(make_config()).patience == 2
    told = adapter_settings(make_config(adapter_patience=5, patience=7))
    assert told.patience == 5
