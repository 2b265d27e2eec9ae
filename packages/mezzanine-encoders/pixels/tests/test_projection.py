import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mezzanine_encoders_pixels.projection import sign_matrix


@given(rows=st.integers(1, 20), columns=st.integers(1, 20), seed=st.integers(0, 10))
def test_entries_are_signs_of_the_asked_shape(rows, columns, seed):
    matrix = sign_matrix(rows, columns, seed)
    assert matrix.shape == (rows, columns)
    assert (np.abs(matrix) == 1).all()


def test_signs_are_those_of_the_guaranteed_bit_stream():
    # The first two words of PCG64(0), as published with NumPy's reference streams, decide these.
    words = np.random.PCG64(0).random_raw(2)
    bits = [
        (int(word) >> (8 * byte + 7 - bit)) & 1
        for word in words
        for byte in range(8)
        for bit in range(8)
    ]
    assert sign_matrix(8, 16, 0).ravel().tolist() == [2.0 * bit - 1.0 for bit in bits]


def test_signs_are_balanced_and_rows_uncorrelated():
    matrix = sign_matrix(400, 400, 3)
    assert abs(matrix.mean()) < 4 / 400
    correlation = (matrix @ matrix.T / 400)[~np.eye(400, dtype=bool)]
    assert abs(correlation.std() - 1 / np.sqrt(400)) < 0.002


def test_other_seed_gives_other_signs():
    assert (sign_matrix(16, 16, 0) != sign_matrix(16, 16, 1)).mean() > 0.3
