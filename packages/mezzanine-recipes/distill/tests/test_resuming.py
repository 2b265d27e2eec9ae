import pytest
import torch

from mezzanine_core.errors import ConfigError
from mezzanine_recipes_distill import adapter_training, experiment
from mezzanine_recipes_distill.students import load_student


@pytest.fixture
def tuned(run, tiny_lm):
    """Runs the student `adapter` on a tiny model."""

    def make(**settings):
        given = {"encoder": "hf_language", "model_name": str(tiny_lm), "adapter_layers": 1}
        given |= {"n_train": 30, "n_test": 12, "adapter_epochs": 2, "adapter_batch": 8}
        return run(students="adapter", **{**given, **settings})

    return make


def interrupt_in(monkeypatch, epochs):
    """Lets the training of adapters fail once so many epochs are concluded and checkpointed."""
    original = adapter_training._Fitting.conclude
    left = [epochs]

    def conclude(self, validation):
        if left[0] == 0:
            raise KeyboardInterrupt
        left[0] -= 1
        original(self, validation)

    monkeypatch.setattr(adapter_training._Fitting, "conclude", conclude)
    return left


@pytest.mark.parametrize("resume_from", ["out", "other"])
def test_resumed_run_gives_what_an_uninterrupted_one_would(
    tuned, monkeypatch, tmp_path, resume_from
):
    _, whole = tuned(out="whole")
    # Two repetitions of two epochs: the first is done, the second has one epoch behind it.
    left = interrupt_in(monkeypatch, 3)
    with pytest.raises(KeyboardInterrupt):
        tuned(out="out")
    kept = sorted(path.name for path in (tmp_path / "out" / "checkpoints").iterdir())
    assert kept == ["adapter-0.pt", "adapter-1.pt"]
    left[0] = 1  # nothing but the one epoch that is missing may be trained
    _, resumed = tuned(out=resume_from, resume=str(tmp_path / "out"))
    assert left == [0]
    assert not (resumed / "checkpoints").exists()
    for repetition in (0, 1):
        expected, found = (
            load_student(folder, "adapter", repetition).tensors for folder in (whole, resumed)
        )
        assert expected.keys() == found.keys()
        assert all(torch.equal(expected[name], found[name]) for name in expected)


def test_checkpoint_of_other_settings_is_refused(tuned, monkeypatch, tmp_path):
    interrupt_in(monkeypatch, 1)
    with pytest.raises(KeyboardInterrupt):
        tuned(out="out")
    with pytest.raises(ConfigError, match="rank"):
        tuned(out="other", resume=str(tmp_path / "out"), adapter_rank=4)


def test_run_that_is_killed_before_it_trains_can_be_resumed_in_its_turn(
    tuned, monkeypatch, tmp_path
):
    left = interrupt_in(monkeypatch, 3)
    with pytest.raises(KeyboardInterrupt):
        tuned(out="out")
    with monkeypatch.context() as killed:

        def load_inputs(config, ctx):
            raise KeyboardInterrupt

        killed.setattr(experiment, "load_inputs", load_inputs)
        with pytest.raises(KeyboardInterrupt):
            tuned(out="out", resume=str(tmp_path / "out"))
    kept = sorted(path.name for path in (tmp_path / "out" / "checkpoints").iterdir())
    assert kept == ["adapter-0.pt", "adapter-1.pt"]
    left[0] = 1  # nothing but the one epoch that is missing may be trained
    tuned(out="out", resume=str(tmp_path / "out"))
    assert left == [0]


def test_directory_without_checkpoints_is_refused_before_encoding(tuned, tmp_path):
    (tmp_path / "other").mkdir()
    with pytest.raises(ConfigError, match=r"holds no checkpoint of an adapter\n") as caught:
        tuned(resume=str(tmp_path / "other"))
    assert "previous" in caught.value.hint
    assert not (tmp_path / "cache").exists()


def test_checkpoints_of_other_repetitions_are_refused_by_name(tuned, monkeypatch, tmp_path):
    interrupt_in(monkeypatch, 1)
    with pytest.raises(KeyboardInterrupt):
        tuned(out="out")
    with pytest.raises(ConfigError, match=r"seeds=\[5\], only adapter-0\.pt"):
        tuned(out="other", resume=str(tmp_path / "out"), seeds="5")


def test_resuming_without_an_adapter_is_refused(run, tmp_path):
    with pytest.raises(ConfigError, match="`adapter`, which is not among students"):
        run(resume=str(tmp_path))


def test_directory_to_resume_from_must_be_there(run, tmp_path):
    with pytest.raises(ConfigError, match="resume: there is no directory"):
        run(resume=str(tmp_path / "nowhere"))
