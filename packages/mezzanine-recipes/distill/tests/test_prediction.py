import json

import numpy as np
import pytest

from mezzanine_core.calibration import softmax
from mezzanine_core.config.resolve import resolve
from mezzanine_core.errors import DataError, UnknownNameError
from mezzanine_core.plugins import load_registry
from mezzanine_recipes_distill import models
from mezzanine_recipes_distill.students import load_card

RECORDS = [{"text": "Day 7 it was good. They won."}, {"text": "It was bad. Rain fell. They lost."}]


@pytest.fixture
def predict(ctx):
    """What a run's model says of records; the recipe has the settings of the run."""

    def say(record, out, records=RECORDS, **which):
        resolved = resolve(load_registry(), record.recipe, recorded=record.config)
        recipe = load_registry().get("recipe", record.recipe).create(resolved.config)
        return list(recipe.predict(ctx, out, records, **which))

    return say


@pytest.fixture
def said_in_the_run(monkeypatch):
    """Logits of the students on the test views, as the run itself computed them."""
    found = {}
    original = models.Models.students

    def students(self, items):
        found.update(original(self, items))
        return {name: found[name] for name in self.config.students}

    monkeypatch.setattr(models.Models, "students", students)
    return found


def test_prediction_is_what_the_run_itself_computed(run, predict, said_in_the_run, ctx):
    record, out = run(students="projection,head,latent", question=True)
    resolved = resolve(load_registry(), record.recipe, recorded=record.config)
    test = ctx.world(resolved.config.world).load().labelled("test")
    texts = [
        {"text": text}
        for _, batch in test.input.fetch(np.arange(5), ctx.executor)
        for text in batch
    ]
    for name, logits in said_in_the_run.items():
        for repetition in (0, 1):
            predicted = predict(record, out, texts, model=name, repetition=repetition)
            p = np.array([list(one["probabilities"].values()) for one in predicted])
            # Every item of this world has four views, the canonical one first.
            assert p == pytest.approx(softmax(logits[repetition][:20:4]), abs=1e-6)


def test_adapter_predicts_what_the_run_itself_computed(run, predict, said_in_the_run, ctx, tiny_lm):
    settings = {"encoder": "hf_language", "model_name": str(tiny_lm), "adapter_layers": 1}
    settings |= {"n_train": 24, "n_test": 12, "adapter_epochs": 1, "seeds": "0"}
    record, out = run(students="adapter", **settings)
    resolved = resolve(load_registry(), record.recipe, recorded=record.config)
    test = ctx.world(resolved.config.world).load().labelled("test")
    texts = [
        {"text": text}
        for _, batch in test.input.fetch(np.arange(3), ctx.executor)
        for text in batch
    ]
    predicted = predict(record, out, texts)
    p = np.array([list(one["probabilities"].values()) for one in predicted])
    assert p == pytest.approx(softmax(said_in_the_run["adapter"][0][:12:4]), abs=1e-5)
    assert not (out / "checkpoints").exists()


def test_prediction_names_labels_and_probabilities(run, predict):
    record, out = run(students="head")
    for one in predict(record, out):
        assert one["probabilities"].keys() == {"bad", "good"}
        assert sum(one["probabilities"].values()) == pytest.approx(1)
        assert one["label"] == max(one["probabilities"], key=one["probabilities"].get)


def test_default_model_is_the_one_of_the_verdict(run, predict):
    record, out = run(students="projection,head")
    assert predict(record, out) == predict(record, out, model="projection", repetition=0)
    assert predict(record, out) != predict(record, out, model="head")
    assert predict(record, out, model="base")


def test_base_that_chooses_predicts_its_choices(run, predict, ctx):
    record, out = run(students="head", belief="choices")
    resolved = resolve(load_registry(), record.recipe, recorded=record.config)
    scorer = ctx.encoder(resolved.config.encoder).choice_encoder((" bad", " good"))
    expected = softmax(scorer.encode([one["text"] for one in RECORDS]))
    predicted = predict(record, out, model="base")
    found = np.array([list(one["probabilities"].values()) for one in predicted])
    assert found == pytest.approx(expected)


def test_model_that_is_not_there_is_refused(run, predict):
    record, out = run(students="head")
    with pytest.raises(UnknownNameError, match=r"no model 'tail'; there are head, base"):
        predict(record, out, model="tail")


def test_record_without_its_field_is_refused(run, predict):
    record, out = run(students="head")
    with pytest.raises(DataError, match="record 1"):
        predict(record, out, [*RECORDS[:1], {"body": "x"}])


def test_student_of_another_encoder_is_refused_by_both_names(run, predict):
    record, out = run(students="head")
    card = json.loads((out / "student.json").read_text())
    ours = load_card(out).encoder["fingerprint"]
    card["encoder"]["fingerprint"] = "0" * 64
    (out / "student.json").write_text(json.dumps(card))
    with pytest.raises(DataError, match=rf"000000000000.* {ours[:12]}"):
        predict(record, out)


def test_run_without_a_student_is_refused(run, predict):
    record, out = run(students="head")
    (out / "student.json").unlink()
    with pytest.raises(DataError, match=r"there is no student\.json"):
        predict(record, out)
