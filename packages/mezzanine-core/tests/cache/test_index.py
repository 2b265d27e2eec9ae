import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mezzanine_core.cache.index import _MIX_FIRST, _MIX_SECOND, KeyIndex

# Few distinct bytes, so that keys repeat, are hit, and are missed by one byte.
KEYS = st.lists(st.binary(min_size=16, max_size=16).map(lambda b: bytes(x % 2 for x in b)))
SPARSE = st.lists(st.integers(0, 20).map(lambda i: i.to_bytes(8, "big") + bytes(8)))


def as_keys(names: list[bytes]) -> np.ndarray:
    return np.frombuffer(b"".join(names), np.uint8).reshape(-1, 16)


def expected(held: list[bytes], wanted: list[bytes]) -> list[int]:
    first = {name: at for at, name in reversed(list(enumerate(held)))}
    return [first.get(name, -1) for name in wanted]


@given(KEYS | SPARSE, KEYS | SPARSE)
def test_finding_agrees_with_a_dictionary(held, wanted):
    wanted = wanted + held[::2]
    assert KeyIndex(as_keys(held)).find(as_keys(wanted)).tolist() == expected(held, wanted)


@given(st.integers(0, 2**64 - 1), st.lists(st.integers(0, 2**64 - 1), max_size=20, unique=True))
def test_keys_whose_mix_collides_are_told_apart(mix, seconds):
    inverse = pow(int(_MIX_FIRST), -1, 2**64)
    firsts = [(mix - second * int(_MIX_SECOND)) * inverse % 2**64 for second in seconds]
    halves = np.array([*zip(firsts, seconds, strict=True)], np.uint64).reshape(-1, 2)
    keys = np.concatenate([halves, halves[::2]]).view(np.uint8)
    index = KeyIndex(keys[::2])
    names = [key.tobytes() for key in keys]
    assert index.find(keys).tolist() == expected(names[::2], names)


def test_nothing_is_found_in_an_empty_index_and_nothing_asked_gives_nothing():
    keys = np.zeros((3, 16), np.uint8)
    assert KeyIndex(keys[:0]).find(keys).tolist() == [-1, -1, -1]
    assert KeyIndex(keys).find(keys[:0]).shape == (0,)


def test_keys_that_are_not_contiguous_are_found():
    wide = np.random.default_rng(0).integers(0, 256, (50, 32), dtype=np.uint8)
    assert (KeyIndex(wide[:, 3:19]).find(wide[::-1, 3:19]) == np.arange(50)[::-1]).all()


@pytest.mark.parametrize(
    "keys", [np.zeros((3, 15), np.uint8), np.zeros(16, np.uint8), np.zeros((3, 16), np.int64)]
)
def test_what_is_not_keys_is_refused(keys):
    with pytest.raises(ValueError, match=r"expected uint8 \[n, 16\]"):
        KeyIndex(keys)
