import pytest
import torch

from mezzanine_core.config import MezzModel
from mezzanine_core.errors import DataError
from mezzanine_recipes_distill.storage import (
    read_card,
    read_tensors,
    tensor_names,
    write_card,
    write_tensors,
)


class Card(MezzModel):
    length: int


def test_tensors_come_back_as_they_were(tmp_path):
    tensors = {"a/x": torch.randn(3, 2), "b/y": torch.arange(4), "b/z": torch.tensor(1.5)}
    write_tensors(tmp_path / "t.safetensors", tensors)
    found = read_tensors(tmp_path / "t.safetensors")
    assert found.keys() == tensors.keys()
    assert all(torch.equal(found[name], tensors[name]) for name in tensors)


def test_tensors_that_share_memory_are_written(tmp_path):
    whole = torch.randn(4, 3)
    write_tensors(tmp_path / "t.safetensors", {"whole": whole, "row": whole[1], "turned": whole.T})
    found = read_tensors(tmp_path / "t.safetensors")
    assert torch.equal(found["turned"], whole.T)
    assert torch.equal(found["row"], whole[1])


def test_only_what_is_asked_for_is_read(tmp_path):
    write_tensors(tmp_path / "t.safetensors", {"a/x": torch.ones(1), "b/x": torch.ones(2)})
    names = tensor_names(tmp_path / "t.safetensors", "b/")
    assert names == ["b/x"]
    assert read_tensors(tmp_path / "t.safetensors", names).keys() == {"b/x"}


@pytest.mark.parametrize("read", [read_tensors, lambda path: tensor_names(path, "")])
def test_a_missing_or_damaged_file_of_tensors_is_named(tmp_path, read):
    path = tmp_path / "t.safetensors"
    with pytest.raises(DataError, match=r"no t\.safetensors") as missing:
        read(path)
    path.write_bytes(b"no tensors")
    with pytest.raises(DataError, match=r"t\.safetensors does not hold what its card says") as bad:
        read(path)
    assert all("run it again" in caught.value.hint for caught in (missing, bad))


def test_a_tensor_that_is_not_there_is_told(tmp_path):
    write_tensors(tmp_path / "t.safetensors", {"a": torch.ones(1)})
    with pytest.raises(DataError, match="does not hold what its card says"):
        read_tensors(tmp_path / "t.safetensors", ["b"])


def test_card_comes_back_as_it_was(tmp_path):
    write_card(tmp_path / "c.json", Card(length=3))
    assert read_card(tmp_path / "c.json", Card) == Card(length=3)


@pytest.mark.parametrize("content", [b"{", b"[]", b"{}", b'{"length": 1, "more": 2}', b"\xff"])
def test_a_damaged_card_is_named(tmp_path, content):
    (tmp_path / "c.json").write_bytes(content)
    with pytest.raises(DataError, match=r"c\.json is no model card") as caught:
        read_card(tmp_path / "c.json", Card)
    assert "run it again" in caught.value.hint


def test_a_folder_in_place_of_a_card_is_told(tmp_path):
    (tmp_path / "c.json").mkdir()
    with pytest.raises(DataError, match=r"c\.json cannot be read") as caught:
        read_card(tmp_path / "c.json", Card)
    assert caught.value.hint
