import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mezzanine_core.cache.digests import block_digests, digest


def test_the_digest_is_crc_32c():
    """The check value that the catalogue of CRC algorithms gives for CRC-32/ISCSI."""
    assert digest(np.frombuffer(b"123456789", np.uint8)) == 0xE3069283


@given(st.integers(0, 50), st.integers(1, 60))
def test_each_block_has_the_digest_of_its_rows(n, block_rows):
    array = np.random.default_rng(n).standard_normal((n, 3), dtype=np.float32)
    blocks = [array[at : at + block_rows] for at in range(0, n, block_rows)]
    assert block_digests(array, block_rows).tolist() == [digest(block) for block in blocks]


@given(st.integers(0, 8 * 4 * 60 - 1))
def test_a_flipped_bit_changes_the_digest_of_its_block_alone(bit):
    array = np.ones((20, 3), np.float32)
    before = block_digests(array, 7)
    array.view(np.uint8).reshape(-1)[bit // 8 % array.nbytes] ^= 1 << bit % 8
    changed = np.flatnonzero(block_digests(array, 7) != before)
    assert changed.tolist() == [(bit // 8 % array.nbytes) // (7 * 12)]
