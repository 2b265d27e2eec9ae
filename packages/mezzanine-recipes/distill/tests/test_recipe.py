import json

import numpy as np
import pytest

from mezzanine_core.config.resolve import resolve
from mezzanine_core.errors import ConfigError, DataError, UnknownNameError
from mezzanine_core.plugins import load_registry
from mezzanine_core.runs.planning import plan
from mezzanine_core.runs.settings import RunSettings
from mezzanine_recipes_distill.config import STUDENTS

FAST = {"head_epochs": 5, "ranks": "4"}


def test_run_leaves_every_figure_of_every_model(run):
    record, out = run(students="projection,head,latent", drawn=True)
    models = ["base", "teacher"]
    for student in ("projection", "head", "latent"):
        models += [student, f"{student}_control"]
    assert list(record.metrics) == models
    figures = {"gap", "flip_rate", "tv_to_mean@4", "js@4", "accuracy", "accuracy_views"}
    figures |= {"confidence", "ece", "spread_ratio"}
    assert record.metrics["base"].keys() == figures
    assert record.metrics["head_control"].keys() == figures
    assert record.metrics["head"].keys() == figures | {"wrong_to_right", "right_to_wrong"}
    assert record.metrics["teacher"].keys() == {"accuracy", "ece"}
    assert record.deltas.keys() == {
        f"{student}_vs_{other}"
        for student in ("projection", "head", "latent")
        for other in ("base", "control")
    }
    pictures = [one.file for one in record.presentation.pictures]
    assert len(pictures) == 5
    written = {"student.safetensors", "student.json", "diagnostics.png", *pictures}
    assert set(record.artifacts) == written
    assert all((out / name).is_file() for name in record.artifacts)


def test_control_is_as_confident_as_its_student_and_answers_as_the_base(run):
    record, _ = run()
    for student in ("projection", "head"):
        control, base = record.metrics[f"{student}_control"], record.metrics["base"]
        same = record.metrics[student]["confidence"].per_seed
        assert control["confidence"].per_seed == pytest.approx(same, abs=1e-6)
        assert control["accuracy"].per_seed == base["accuracy"].per_seed
        assert control["flip_rate"].per_seed == pytest.approx(base["flip_rate"].per_seed)


def test_student_that_is_but_a_cooler_base_breaks_by_its_control(run, monkeypatch):
    """The law of the confidence control: less confidence alone never gives MAKE."""
    from mezzanine_recipes_distill import models

    def cooler(self, items):
        return {name: self.base(items) / 3 for name in self.config.students}

    monkeypatch.setattr(models.Models, "students", cooler)
    record, _ = run(students="head", **FAST)
    reduction = record.deltas["head_vs_control"]["gap_reduction"]
    assert reduction.value == pytest.approx(0, abs=1e-6)
    assert record.deltas["head_vs_base"]["gap_reduction"].value > 0.2
    outcomes = {one.name: one.outcome for one in record.verdict.criteria}
    assert outcomes["original_gap_reduction"] == "met"
    assert outcomes["gap_reduced"] == "not met"
    assert record.verdict.label == "BREAK"
    assert any("comes of less confidence" in warning for warning in record.verdict.warnings)


def test_student_without_a_gap_that_keeps_its_accuracy_gives_make(run, monkeypatch):
    from mezzanine_recipes_distill import models

    def steady(self, items):
        first = items.groups.repeat(items.groups.starts()).astype(int)
        return {name: self.base(items)[:, first] for name in self.config.students}

    monkeypatch.setattr(models.Models, "students", steady)
    record, _ = run(students="head", **FAST)
    assert record.metrics["head"]["gap"].value == 0
    assert record.deltas["head_vs_control"]["gap_reduction"].value == pytest.approx(1)
    assert record.verdict.label == "MAKE"


def test_second_run_encodes_nothing_and_finds_the_same(run):
    first, _ = run(out="first")
    second, _ = run(out="second")
    assert first.cache.encoded > 0
    assert (second.cache.encoded, second.cache.materialised) == (0, 0)
    assert second.metrics == first.metrics
    assert second.deltas == first.deltas
    assert second.verdict == first.verdict


def test_more_views_encode_the_new_ones_alone(run):
    few, _ = run(out="few", k_train=4, k_test=4, sentences=5, **FAST)
    many, _ = run(out="many", k_train=8, k_test=8, sentences=5, **FAST)
    assert many.cache.cached == few.cache.encoded == few.cache.unique
    assert many.cache.encoded == many.cache.unique - few.cache.unique > 400


def test_each_repetition_is_that_of_its_seed(run):
    among, _ = run(out="among", seeds="0,1")
    alone, _ = run(out="alone", seeds="1")
    for model in ("base", "head"):
        expected = pytest.approx(among.metrics[model]["gap"].per_seed[1], abs=1e-9)
        assert alone.metrics[model]["gap"].value == expected
    assert any("only one seed" in warning for warning in alone.verdict.warnings)


def test_students_do_not_change_each_other(run):
    together, _ = run(out="together", students="projection,head")
    alone, _ = run(out="alone", students="head")
    expected = pytest.approx(together.metrics["head"]["gap"].per_seed, abs=1e-9)
    assert alone.metrics["head"]["gap"].per_seed == expected


def test_verdict_is_about_the_first_student(run):
    record, out = run(students="head,projection")
    assert "student head" in record.verdict.sentence
    assert list(record.diagnostics["students"]) == ["head", "projection"]
    theirs = record.diagnostics["students"]["head"]["verdict"]
    assert theirs["label"] == record.verdict.label
    assert json.loads((out / "student.json").read_text())["primary"] == "head"


@pytest.mark.parametrize("average", ["logits", "latents"])
def test_teacher_may_average_otherwise(run, average):
    other, _ = run(average=average, **FAST)
    usual, _ = run(out="usual", **FAST)
    assert other.metrics["base"] == usual.metrics["base"]
    assert other.metrics["head"]["gap"] != usual.metrics["head"]["gap"]


def test_choices_are_a_base_model_without_seeds(run):
    record, _ = run(belief="choices", students="head", question=True)
    assert len(record.metrics["base"]["gap"].per_seed) == 1
    assert len(record.metrics["teacher"]["accuracy"].per_seed) == 1
    assert len(record.metrics["head"]["gap"].per_seed) == 2
    assert record.data["choices"] == [" bad", " good"]
    assert record.cache.encoded == record.cache.unique == 2 * 120 * 4 - 2 * 80
    again, _ = run(out="again", belief="choices", students="head", question=True)
    assert again.cache.encoded == 0
    assert again.metrics == record.metrics


def test_wrong_number_of_choices_is_refused(run):
    with pytest.raises(ConfigError, match=r"3 choices .* for the 2 labels"):
        run(belief="choices", choices=" a, b, c", students="head")


def test_encoder_without_answers_cannot_be_the_base(run):
    with pytest.raises(ConfigError, match="no answers of its own"):
        run(belief="choices", students="head", encoder="mute")


def test_encoder_that_cannot_be_trained_is_refused_before_encoding(run, tmp_path):
    with pytest.raises(ConfigError, match="adapter"):
        run(students="adapter")
    assert not (tmp_path / "cache").exists()


def test_encoder_of_another_kind_is_refused_by_name(run):
    with pytest.raises(ConfigError, match=r"'pixels' takes image .*'tales' holds text"):
        run(encoder="pixels")


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"fault": "one_class"}, "the same label"),
        ({"fault": "other_names"}, "classes of the training split"),
        ({"n_test": 1}, "too few for an interval"),
        ({"sentences": 1}, "no gap to measure"),
    ],
)
def test_data_that_allow_no_answer_are_refused_before_encoding(run, tmp_path, settings, problem):
    with pytest.raises(DataError, match=problem):
        run(**settings)
    assert not (tmp_path / "cache").exists()


def test_what_weakens_the_verdict_is_said(run):
    record, _ = run(leak=5, single=0.3, words=6, **FAST)
    said = " | ".join(record.verdict.warnings)
    assert "5 of 40 test items are in training too" in said
    assert "of the test items have a single realisation" in said
    assert "have a view that the encoder cuts off" in said
    assert "only 40 different test items" in said
    assert record.data["overlap"]["test_items_in_train"] == 5


def test_results_say_what_was_done(run):
    record, _ = run(repeat=3, **FAST)
    assert record.data["n_train"] == 80
    assert record.data["fit"] + record.data["held_out"] == 80
    assert record.data["held_out"] == 16
    assert record.data["splits"]["test"]["distinct"] == 37
    assert record.data["orbit_sizes"]["test"].keys() <= {"4", "6", "12", "24"}
    assert record.data["world"] == {"truth": "the majority of the sentences"}
    assert set(record.diagnostics["curves"]) == set(record.diagnostics["ranks"]) == {"0", "1"}
    assert [one["views"] for one in record.diagnostics["teacher_by_views"]] == [1, 2, 4]
    for student in ("projection", "head"):
        found = record.diagnostics["students"][student]
        assert len(found["control"]["temperatures"]) == len(found["answers_changed"]) == 2
    changed = record.diagnostics["students"]["head"]["answers_changed"]
    share = np.mean([one["wrong_to_right"] for one in changed]) / 40
    assert record.metrics["head"]["wrong_to_right"].value == pytest.approx(share)
    stages = {"import", "load", "encode", "check", "train", "evaluate", "draw"}
    assert stages <= record.timings.keys()


def test_an_answer_costs_one_view_but_that_of_the_teacher(run):
    record, _ = run(**FAST)
    costs = record.diagnostics["costs"]
    assert costs["views_per_answer"].keys() == record.metrics.keys()
    more = {model: views for model, views in costs["views_per_answer"].items() if views != 1}
    assert more == {"teacher": 4}
    assert costs["base_passes_per_view_at_most"] == 1
    assert costs["training_views"] == 80 * 3
    assert costs["adapter"] == {}


def test_a_base_that_chooses_takes_a_pass_for_each_choice_at_most(run):
    record, _ = run(belief="choices", students="head", **FAST)
    assert record.diagnostics["costs"]["base_passes_per_view_at_most"] == 2


def test_the_adapters_passes_are_those_that_it_makes(run, tiny_lm, monkeypatch):
    from mezzanine_recipes_distill.adapter import AdapterStudent

    passes, call = {"trained": 0, "read": 0}, AdapterStudent.__call__

    def counted(self, prepared):
        logits = call(self, prepared)
        passes["trained" if logits.requires_grad else "read"] += len(prepared)
        return logits

    monkeypatch.setattr(AdapterStudent, "__call__", counted)
    given = {"encoder": "hf_language", "model_name": str(tiny_lm), "students": "adapter"}
    given |= {"n_train": 20, "n_test": 10, "single": 0.3, "repeat": 2, "edits": "sentiment"}
    record, _ = run(adapter_layers=1, **given)
    costs = record.diagnostics["costs"]["adapter"]
    assert costs.keys() == {"0", "1"}
    assert sum(one["forward_and_backward"] for one in costs.values()) == passes["trained"]
    read = sum(one["validation"] + one["answers"] for one in costs.values())
    assert read == passes["read"]


def test_edits_stand_beside_the_gap(run, tmp_path):
    lines = [
        {
            "original": f"It was good. They won. Day {n}.",
            "edited": f"It was bad. They lost. Day {n}.",
        }
        for n in range(4)
    ]
    path = tmp_path / "edits.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)))
    record, _ = run(edits=str(path), students="head")
    edits = record.diagnostics["edits"]
    assert edits["edits"] == 4
    assert edits["models"].keys() == {"base", "head", "head_control"}
    base = edits["models"]["base"]
    assert base["gap"]["value"] == record.metrics["base"]["gap"].value
    assert base["edit_tv"]["value"] > base["gap"]["value"]
    assert record.cache.unique == 80 * 3 + 40 * 4 + 8


def test_unknown_edits_are_refused_before_encoding(run, tmp_path):
    with pytest.raises(UnknownNameError, match="no edits named"):
        run(edits="nonsense")
    assert not (tmp_path / "cache").exists()


def test_edits_of_another_form_are_refused_before_encoding(run, tmp_path):
    with pytest.raises(ConfigError, match=r"'boolq' are passages .*'tales'") as raised:
        run(edits="boolq")
    assert "takes: sentiment." in raised.value.hint
    assert not (tmp_path / "cache").exists()


def test_edits_without_a_question_are_refused_where_one_is_asked(ctx):
    from mezzanine_core.worlds import ArrayColumn, Labelled
    from mezzanine_recipes_distill.framing import framed_edits

    flags = {"dataset": "org/name", "lm_name": "none"}
    resolved = resolve(load_registry(), "hf_llm_hiddenstate_order_distill", flags=flags)
    world = ctx.world(resolved.config.world)
    test = Labelled(ArrayColumn(["a"], "text"), np.zeros(1, np.int64), ("no", "yes"))
    with pytest.raises(ConfigError, match=r"'sentiment' are texts without .*'hf_qa'") as raised:
        framed_edits("sentiment", world, test)
    assert "takes: boolq." in raised.value.hint
    assert len(framed_edits("boolq", world, test).texts) == 2 * 24


@pytest.mark.parametrize("belief", ["head", "choices"])
@pytest.mark.parametrize("edits", [None, "sentiment"])
def test_plan_counts_what_a_run_encodes(run, tmp_path, belief, edits):
    registry = load_registry()
    wanted = {"belief": belief, "students": "head", "k_train": 3, "k_test": 4}
    wanted |= {"edits": edits} if edits else {}
    flags = {"world": "tales", "encoder": "reader", **wanted}
    resolved = resolve(registry, "symmetry_distill", flags=flags)
    settings = RunSettings(out=None, cache_dir=tmp_path / "cache", device="cpu", workers=1)
    planned = plan(resolved, settings, registry)
    columns = ["train", "test", "edits"] if edits else ["train", "test"]
    latents = ["views", "choices"] if belief == "choices" else ["views"]
    expected = [f"{column}/{which}" for which in latents for column in columns]
    assert [one.label for one in planned.latents] == expected
    record, _ = run(**wanted, **FAST)
    assert planned.total.to_encode == record.cache.encoded


def test_every_student_is_known():
    assert STUDENTS == ("head", "projection", "latent", "adapter")


def test_every_curve_of_every_repetition_is_logged_at_its_epochs(run):
    record, out = run(log="jsonl", students="head", **FAST)
    lines = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    logged = {}
    for line in lines:
        if line["event"] == "log" and line["step"] is not None:
            for name, value in line["values"].items():
                logged.setdefault(name, []).append((line["step"], value))
    assert set(logged) == {
        f"train/{model}/{repetition}/{name}"
        for model in ("base", "head")
        for repetition in record.config["seeds"]
        for name in ("loss", "validation")
    }
    for points in logged.values():
        assert [epoch for epoch, _ in points] == list(range(len(points)))
