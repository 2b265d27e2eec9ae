"""Every way in which a committed segment can be damaged is noticed, named, and got over."""

import json
import logging
import shutil

import numpy as np
import pytest

from mezzanine_core.cache import LatentCache
from mezzanine_core.errors import CacheError, CorruptSegmentError

ENCODER = "5eed" * 16


def flip(path, at=-9):
    data = bytearray(path.read_bytes())
    data[at] ^= 4
    path.write_bytes(data)


def edit(path, **changes):
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


LATENTS = {
    "a latent's bit flipped": lambda s: flip(s / "latents" / "c.0.0"),
    "a chunk of latents missing": lambda s: (s / "latents" / "c.0.0").unlink(),
    "a chunk of latents cut short": lambda s: (s / "latents" / "c.0.0").write_bytes(b"\0" * 99),
    "a chunk of latents empty": lambda s: (s / "latents" / "c.0.0").write_bytes(b""),
    "the latents missing": lambda s: shutil.rmtree(s / "latents"),
    "the latents' metadata missing": lambda s: (s / "latents" / "zarr.json").unlink(),
    "the latents' metadata broken": lambda s: (s / "latents" / "zarr.json").write_text("{"),
    "the latents' metadata senseless": lambda s: edit(s / "latents" / "zarr.json", codecs=[7]),
    "the latents of another shape": lambda s: edit(s / "latents" / "zarr.json", shape=[10, 4]),
    "a digest changed": lambda s: edit(s / "commit.json", latents_crc32c="00000000"),
    "the latents of another segment": lambda s: shutil.copy(
        next(p for p in s.parent.iterdir() if p != s) / "latents" / "c.0.0", s / "latents"
    ),
}
KEYS = {
    "a key's bit flipped": lambda s: flip(s / "keys" / "c.0.0"),
    "the chunk of keys missing": lambda s: (s / "keys" / "c.0.0").unlink(),
    "the chunk of keys cut short": lambda s: (s / "keys" / "c.0.0").write_bytes(b"\0" * 99),
    "the keys missing": lambda s: shutil.rmtree(s / "keys"),
    "the keys' metadata broken": lambda s: (s / "keys" / "zarr.json").write_text("[1"),
    "the commit record broken": lambda s: (s / "commit.json").write_text('{"rows": 1'),
    "the commit record empty": lambda s: (s / "commit.json").write_text(""),
    "the commit record of other rows": lambda s: edit(s / "commit.json", rows=9),
}
DIM = {"the commit record of another length": lambda s: edit(s / "commit.json", dim=4)}


def by_name(damages):
    return [pytest.param(damage, id=name) for name, damage in damages.items()]


@pytest.fixture
def half(tmp_path, rows):
    """A cache of two segments of 10 latents each, and the directory of the second."""
    keys, latents = rows(20)
    cache = LatentCache(tmp_path / "cache")
    seen = set()
    for at in (0, 10):
        with cache.writer(ENCODER, 5, card={"name": "some"}) as writer:
            writer.append(keys[at : at + 10], latents[at : at + 10])
        (segment,) = set((cache.root / ENCODER / "segments").iterdir()) - seen
        seen.add(segment)
    return keys, latents, cache, segment


@pytest.mark.parametrize("damage", by_name(LATENTS | KEYS | DIM))
def test_damage_counts_as_missing_and_what_is_whole_is_read(half, damage, caplog):
    keys, latents, cache, segment = half
    damage(segment)
    out = np.empty((20, 5), np.float32)
    for reader in (cache, LatentCache(cache.root)):
        read = reader.read_into(ENCODER, keys, out, np.arange(20))
        assert read.tolist() == [True] * 10 + [False] * 10
        np.testing.assert_array_equal(out[:10], latents[:10])
        np.testing.assert_array_equal(reader.read(ENCODER, keys[:10]), latents[:10])
        assert reader.find(ENCODER, keys).tolist() == read.tolist()
    warnings = [record.getMessage() for record in caplog.records]
    assert len(warnings) == 2, "one for each reader, however often it reads"
    assert all(str(segment) in text and "mezz cache verify --remove" in text for text in warnings)


@pytest.mark.parametrize("damage", by_name(LATENTS))
def test_reading_damaged_latents_names_the_segment_and_the_remedy(half, damage):
    keys, _, cache, segment = half
    damage(segment)
    with pytest.raises(CorruptSegmentError, match=f"{segment} is corrupt: ") as caught:
        cache.read(ENCODER, keys)
    assert "mezz cache verify --remove" in str(caught.value)


@pytest.mark.parametrize("damage", by_name(KEYS | DIM))
def test_reading_what_a_damaged_segment_held_says_that_it_is_not_there(half, damage):
    keys, _, cache, segment = half
    damage(segment)
    with pytest.raises(CacheError, match="10 of 20 latents"):
        LatentCache(cache.root).read(ENCODER, keys)


@pytest.mark.parametrize("damage", by_name(LATENTS | KEYS | DIM))
def test_verify_finds_damage_and_removes_it_on_request_alone(half, damage):
    keys, latents, cache, segment = half
    damage(segment)
    (problem,) = cache.verify()
    assert (problem.encoder, problem.segment, problem.removed) == (ENCODER, str(segment), False)
    assert "is corrupt" in problem.what
    (problem,) = cache.verify(ENCODER[:6], remove=True)
    assert problem.removed
    assert not segment.exists()
    assert cache.verify() == []
    np.testing.assert_array_equal(cache.read(ENCODER, keys[:10]), latents[:10])


def test_a_copy_elsewhere_is_read_in_place_of_a_damaged_one(half):
    keys, latents, cache, segment = half
    with cache.writer(ENCODER, 5, card={}) as writer:
        writer.append(keys, latents)
    flip(segment / "latents" / "c.0.0")
    np.testing.assert_array_equal(LatentCache(cache.root).read(ENCODER, keys), latents)


def test_a_segment_without_its_commit_record_does_not_exist(half, caplog):
    keys, _, cache, segment = half
    (segment / "commit.json").unlink()
    assert LatentCache(cache.root).find(ENCODER, keys).sum() == 10
    assert cache.verify() == []
    assert caplog.records == []


def test_a_segment_of_a_later_layout_is_reported_but_never_removed(half, caplog):
    keys, _, cache, segment = half
    edit(segment / "commit.json", format=2)
    assert LatentCache(cache.root).find(ENCODER, keys).sum() == 10
    assert "has format 2" in caplog.text
    (problem,) = cache.verify(remove=True)
    assert not problem.removed
    assert "Upgrade mezzanine-core" in problem.remedy
    assert segment.exists()


def test_a_damaged_card_is_written_anew_by_the_next_writer(half, rows):
    _, _, cache, _ = half
    card = cache.root / ENCODER / "card.json"
    card.write_text("{")
    assert cache.ls()[0].name == "?"
    with cache.writer(ENCODER, 5, card={"name": "some"}):
        pass
    assert cache.ls()[0].name == "some"
    assert json.loads(card.read_text())["dim"] == 5


def test_damage_is_a_warning(half, caplog):
    keys, _, cache, segment = half
    flip(segment / "latents" / "c.0.0")
    cache.read_into(ENCODER, keys, np.empty((20, 5), np.float32), np.arange(20))
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
