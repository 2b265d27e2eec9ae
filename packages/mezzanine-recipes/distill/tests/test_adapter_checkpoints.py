import pickle

import pytest
import torch

from mezzanine_core.errors import ConfigError, DataError, OutputDirectoryError
from mezzanine_recipes_distill.adapter_checkpoints import Checkpoints


def checkpoints(folder, minutes=0.0, **identity):
    return Checkpoints(
        folder / "made" / "adapter-0.pt", {"seed": 0, "lr": 0.5, **identity}, minutes
    )


def test_what_was_saved_is_loaded_by_another(tmp_path):
    state = {"weights": {"a": torch.arange(3.0)}, "step": 7, "losses": [0.5, 0.25], "best": None}
    checkpoints(tmp_path).save(state)
    loaded = checkpoints(tmp_path).load()
    assert torch.equal(loaded.pop("weights")["a"], state["weights"].pop("a"))
    assert loaded == {"step": 7, "losses": [0.5, 0.25], "best": None}


def test_nothing_is_loaded_where_nothing_was_saved(tmp_path):
    assert checkpoints(tmp_path).load() is None


def test_the_last_of_several_is_loaded(tmp_path):
    ours = checkpoints(tmp_path)
    for step in range(3):
        ours.save({"step": step})
    assert ours.load() == {"step": 2}


def test_a_removed_checkpoint_is_gone_and_may_be_removed_again(tmp_path):
    ours = checkpoints(tmp_path)
    ours.save({"step": 1})
    ours.remove()
    ours.remove()
    assert ours.load() is None
    assert list(ours.path.parent.iterdir()) == []


def test_a_failed_save_leaves_the_checkpoint_before_it(tmp_path):
    ours = checkpoints(tmp_path)
    ours.save({"step": 1})
    with pytest.raises((pickle.PicklingError, AttributeError)):
        ours.save({"step": lambda: None})
    assert ours.load() == {"step": 1}
    assert list(ours.path.parent.iterdir()) == [ours.path]


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "made").write_text("a file")
    with pytest.raises(OutputDirectoryError, match=r"adapter-0\.pt cannot be written"):
        checkpoints(tmp_path).save({"step": 1})


def test_a_checkpoint_of_another_training_is_refused_by_what_differs(tmp_path):
    checkpoints(tmp_path, lr=0.25, encoder="a").save({"step": 1})
    with pytest.raises(ConfigError) as caught:
        checkpoints(tmp_path, encoder="a").load()
    assert "lr was 0.25 and is 0.5" in caught.value.message
    assert "encoder" not in caught.value.message


def test_what_is_added_to_the_identity_counts(tmp_path):
    ours = checkpoints(tmp_path)
    ours.identify({"data": "one"})
    ours.save({"step": 1})
    other = checkpoints(tmp_path)
    other.identify({"data": "two"})
    with pytest.raises(ConfigError, match="data was 'one' and is 'two'"):
        other.load()


@pytest.mark.parametrize("damage", [b"", b"no checkpoint", "truncated"])
def test_a_damaged_checkpoint_is_named(tmp_path, damage):
    ours = checkpoints(tmp_path)
    ours.save({"weights": torch.zeros(100)})
    content = ours.path.read_bytes()[:200] if damage == "truncated" else damage
    ours.path.write_bytes(content)
    with pytest.raises(DataError, match=r"adapter-0\.pt cannot be read"):
        ours.load()


@pytest.mark.parametrize("content", [[1, 2], {"format": 2}, {"format": 1}])
def test_a_file_of_another_layout_is_named(tmp_path, content):
    ours = checkpoints(tmp_path)
    ours.path.parent.mkdir()
    torch.save(content, ours.path)
    with pytest.raises(DataError, match="none that this version can read"):
        ours.load()


class _Planted:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def test_a_checkpoint_cannot_run_code(tmp_path):
    ours = checkpoints(tmp_path)
    ours.path.parent.mkdir()
    torch.save({"format": 1, "identity": {}, "state": _Planted(tmp_path / "ran")}, ours.path)
    with pytest.raises(DataError, match="cannot be read"):
        ours.load()
    assert not (tmp_path / "ran").exists()


def test_a_checkpoint_is_due_once_the_time_has_passed(tmp_path):
    assert checkpoints(tmp_path, minutes=0).due()
    assert not checkpoints(tmp_path, minutes=60).due()
