"""Laws of canonical JSON, fingerprints and item keys."""

import hashlib
import json
import math
import subprocess
import sys
import tempfile
from pathlib import Path, PurePosixPath

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mezzanine_core.errors import ConfigError, DataError
from mezzanine_core.fingerprint import (
    KEY_BYTES,
    canonical_json,
    content_keys,
    file_digest,
    fingerprint,
    item_key,
    item_keys,
)

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=12
)


@given(values)
def test_canonical_json_reads_back_as_the_value(value):
    assert json.loads(canonical_json(value)) == value


@given(st.dictionaries(st.text(), scalars, min_size=2))
def test_order_of_keys_does_not_matter(mapping):
    reordered = dict(reversed(mapping.items()))
    assert fingerprint(mapping) == fingerprint(reordered)


@given(values, values)
def test_fingerprints_agree_exactly_when_the_canonical_texts_do(first, second):
    same_text = canonical_json(first) == canonical_json(second)
    assert (fingerprint(first) == fingerprint(second)) == same_text


def test_tuples_lists_numpy_scalars_and_paths_have_plain_forms():
    assert canonical_json({"a": (1, np.float64(0.5)), "p": PurePosixPath("x/y")}) == (
        '{"a":[1,0.5],"p":"x/y"}'
    )


def test_a_float_is_not_the_integer_of_equal_value():
    assert fingerprint(1.0) != fingerprint(1)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, np.float32("nan")])
def test_numbers_that_are_not_finite_are_refused_with_their_place(bad):
    with pytest.raises(ConfigError, match=r"\$\.a\[1\]"):
        fingerprint({"a": [0.0, bad]})


@pytest.mark.parametrize("bad", [{1, 2}, b"raw", object()])
def test_values_without_a_canonical_form_are_refused(bad):
    with pytest.raises(ConfigError, match=r"\$\.x"):
        fingerprint({"x": bad})


def test_keys_that_are_not_text_are_refused():
    with pytest.raises(ConfigError, match="not a string"):
        fingerprint({1: "a"})


def test_fingerprint_is_the_same_in_another_process():
    value = {"z": [1, 2.5, "ü"], "a": None}
    code = f"from mezzanine_core.fingerprint import fingerprint; print(fingerprint({value!r}))"
    printed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert printed.strip() == fingerprint(value)


@given(st.lists(st.tuples(st.text(max_size=3), st.integers(0, 5)), unique=True))
def test_item_keys_tell_items_of_a_source_apart(identities):
    keys = item_keys("source", identities)
    assert keys.shape == (len(identities), KEY_BYTES)
    assert len({key.tobytes() for key in keys}) == len(identities)


def test_item_keys_tell_sources_apart():
    assert item_key("a", 1) != item_key("b", 1)


def test_content_keys_see_dtype_shape_and_values():
    zeros = np.zeros((2, 3), np.uint8)
    variants = [zeros, zeros.reshape(3, 2), zeros.astype(np.int8), zeros + 1, "", b""]
    assert len({key.tobytes() for key in content_keys(variants)}) == len(variants)


def test_content_keys_do_not_depend_on_memory_layout():
    array = np.arange(12, dtype=np.float32).reshape(3, 4)
    in_c, in_fortran = content_keys([array, np.asfortranarray(array)])
    assert in_c.tobytes() == in_fortran.tobytes()


@given(st.binary(max_size=200))
def test_a_file_digest_is_that_of_its_content(content):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(content)
        assert file_digest(path) == hashlib.sha256(content).hexdigest()


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(DataError, match="missing cannot be read"):
        file_digest(tmp_path / "missing")
