import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from mezzanine_core.errors import DataError, OutputDirectoryError, UnknownNameError
from mezzanine_recipes_distill.heads import Head, logits_of
from mezzanine_recipes_distill.latent_student import LatentStudent
from mezzanine_recipes_distill.projection import Projected
from mezzanine_recipes_distill.students import (
    AdapterState,
    load_card,
    load_student,
    save_students,
)

REPETITIONS = (2, 0)
DIM = 6
FULL = Path("/dev/full")
KINDS = ("base", "head", "projection", "latent")


def filled(model, seed):
    """A model all of whose numbers are random."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for value in model.state_dict().values():
            value.copy_(torch.rand(value.shape, generator=generator) + 0.5)
    return model


def models_of(seed):
    base = filled(Head(DIM, 3, 4), seed)
    return {
        "base": base,
        "head": filled(Head(DIM, 3), seed + 10),
        # The rank is chosen in each repetition.
        "projection": filled(Projected(DIM, 2 + seed, 3, 5), seed + 20),
        "latent": filled(LatentStudent(base, 7), seed + 30),
        "adapter": AdapterState(
            dim=DIM,
            classes=3,
            hidden=0,
            layers=2,
            rank=4,
            alpha=8.0,
            tensors={
                "encoder.block.lora_A": torch.full((4, DIM), float(seed)),
                "head.x": base.scale,
            },
        ),
    }


@pytest.fixture
def students():
    models = [models_of(repetition) for repetition in REPETITIONS]
    return {name: [one[name] for one in models] for name in models[0]}


def save(folder, students, primary="projection", belief="head"):
    return save_students(
        folder,
        students,
        repetitions=REPETITIONS,
        primary=primary,
        belief=belief,
        average="probabilities",
        label_names=("bad", "so-so", "good"),
        encoder={"config": {"name": "identity"}, "fingerprint": "e"},
        symmetry={"config": {"name": "order"}, "fingerprint": "s"},
        world={"config": {"name": "toy"}, "fingerprint": "w"},
    )


@pytest.fixture
def folder(tmp_path, students):
    assert save(tmp_path, students) == ("student.safetensors", "student.json")
    return tmp_path


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("place", [0, 1])
def test_loaded_students_say_bit_for_bit_the_same(folder, students, name, place):
    latents = np.random.default_rng(0).normal(size=(50, DIM)).astype(np.float32)
    loaded = load_student(folder, name, REPETITIONS[place])
    expected = logits_of(students[name][place], latents)
    np.testing.assert_array_equal(logits_of(loaded, latents), expected)
    assert type(loaded) is type(students[name][place])
    assert np.ptp(expected, axis=0).min() > 0
    assert not any(parameter.requires_grad for parameter in loaded.parameters())


@pytest.mark.parametrize("place", [0, 1])
def test_state_of_an_adapter_comes_back_whole(folder, students, place):
    loaded, saved = load_student(folder, "adapter", REPETITIONS[place]), students["adapter"][place]
    assert {**vars(loaded), "tensors": None} == {**vars(saved), "tensors": None}
    assert loaded.tensors.keys() == saved.tensors.keys()
    assert all(torch.equal(value, saved.tensors[name]) for name, value in loaded.tensors.items())


def test_primary_student_of_the_first_repetition_is_the_default(folder, students):
    assert torch.equal(load_student(folder).basis, students["projection"][0].basis)


def test_card_says_what_the_students_take(folder):
    card = load_card(folder)
    assert card.repetitions == REPETITIONS
    assert card.primary == "projection"
    assert [shape.rank for shape in card.models["projection"]] == [4, 2]
    assert [shape.kind for shapes in card.models.values() for shape in shapes[:1]] == [
        "head",
        "head",
        "projection",
        "latent",
        "adapter",
    ]
    assert card.models["latent"][0].base_hidden == 4
    assert card.label_names == ("bad", "so-so", "good")
    assert card.symmetry["fingerprint"] == "s"


def test_a_model_that_is_not_there_is_told_with_those_that_are(folder):
    expected = "'teacher'; there are base, head, projection"
    with pytest.raises(UnknownNameError, match=expected) as caught:
        load_student(folder, "teacher")
    assert "projection" in caught.value.hint


def test_base_that_chooses_is_among_the_models_though_it_has_no_weights(tmp_path, students):
    save(tmp_path, {"head": students["head"]}, "head", belief="choices")
    with pytest.raises(UnknownNameError, match=r"'teacher'; there are head, base\n"):
        load_student(tmp_path, "teacher")
    with pytest.raises(UnknownNameError, match="own choice and has no weights") as caught:
        load_student(tmp_path, "base")
    assert "mezz predict --model base" in caught.value.hint


def test_a_repetition_that_is_not_there_is_told_with_those_that_are(folder):
    with pytest.raises(UnknownNameError, match=r"repetition 1; there are \[2, 0\]"):
        load_student(folder, "head", 1)


@pytest.mark.parametrize("name", ["student.json", "student.safetensors"])
def test_missing_files_are_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(DataError, match=f"no {name}"):
        load_student(folder)


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2},
        {"primary": "nobody"},
        {"repetitions": [0]},
        {"models": {"projection": [{"kind": "tree", "dim": 6, "classes": 3, "hidden": 0}] * 2}},
        {
            "models": {
                "projection": [{"kind": "projection", "dim": 6, "classes": 3, "hidden": 0}] * 2
            }
        },
    ],
)
def test_a_card_that_contradicts_itself_is_refused(folder, change):
    card = json.loads((folder / "student.json").read_text())
    (folder / "student.json").write_text(json.dumps({**card, **change}))
    with pytest.raises(DataError, match=r"student\.json is no model card"):
        load_card(folder)


def test_damaged_weights_are_named(folder):
    path = folder / "student.safetensors"
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(DataError, match=r"student\.safetensors does not hold"):
        load_student(folder)


@pytest.mark.parametrize("field", ["dim", "hidden", "rank"])
def test_weights_of_other_students_are_refused(folder, field):
    card = json.loads((folder / "student.json").read_text())
    card["models"]["projection"][0][field] += 1
    (folder / "student.json").write_text(json.dumps(card))
    with pytest.raises(DataError, match="does not hold what its card says"):
        load_student(folder)


def test_weights_without_a_tensor_are_refused(folder):
    path = folder / "student.safetensors"
    tensors = load_file(path)
    del tensors["projection/2/basis"]
    save_file(tensors, path)
    with pytest.raises(DataError, match="basis"):
        load_student(folder)
    load_student(folder, "projection", 0)


@pytest.mark.skipif(not FULL.exists(), reason="the system has no device that is always full")
@pytest.mark.parametrize("name", ["student.safetensors", "student.json"])
def test_full_disk_is_told_by_file_and_reason(tmp_path, students, name):
    (tmp_path / name).symlink_to(FULL)
    with pytest.raises(OutputDirectoryError, match=rf"{name}.*No space left on device"):
        save(tmp_path, students)


def test_files_are_as_readable_as_others(folder):
    (folder / "other").touch()
    modes = {path.stat().st_mode for path in folder.iterdir()}
    assert len(modes) == 1
