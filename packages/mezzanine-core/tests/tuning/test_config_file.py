"""The chosen settings, written for ``--config``."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mezzanine_core.config import load_config_file
from mezzanine_core.config.resolve import resolve
from mezzanine_core.tuning.config_file import config_text, yaml_text

FLAGS = {"x": "2.5", "side": "south", "seeds": "3,4", "world.tags": "a,b", "world.seed": "9"}


@pytest.fixture
def written(registry, tmp_path):
    """Writes a run's settings and reads them back, for a recipe."""

    def call(flags, recipe="hill", back=None):
        resolved = resolve(registry, recipe, flags=flags)
        file = tmp_path / "tuned.yml"
        file.write_text(config_text(resolved, "two\nlines: of comment"), encoding="utf-8")
        return resolved, resolve(registry, back or recipe, file=file), file.read_text()

    return call


@pytest.mark.parametrize("flags", [{}, FLAGS, {"seed": "4", "x": "1e-5"}])
def test_the_file_gives_the_same_settings_and_the_same_run(written, flags):
    meant, read, _ = written(flags)
    assert read.config.model_dump() == meant.config.model_dump()
    assert read.payload() == meant.payload()


def test_what_a_preset_sets_is_in_the_file(written):
    meant, read, _ = written({}, recipe="steep", back="hill")
    assert read.config.model_dump() == meant.config.model_dump()


def test_defaults_stay_out_of_the_file(written):
    _, _, text = written({"x": "2"})
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert lines == ["world:", "  name: land", "x: 2.0"]


plain = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**60), 2**60),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["1e-3", "no", "~", "null", "0o17", "a: b", "# x", "- a", "1_000", "", "'"]),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cs"])),
)


@settings(deadline=None)
@given(st.lists(plain, max_size=4), plain)
def test_values_are_read_back_as_they_were_whatever_they_look_like(tmp_path_factory, many, one):
    file = tmp_path_factory.getbasetemp() / "values.yml"
    file.write_text(yaml_text({"many": many, "one": one}), encoding="utf-8", newline="")
    read = {name: found.value for name, found in load_config_file(file).values.items()}
    assert read == {"many": many, "one": one}
    assert list(map(type, [*read["many"], read["one"]])) == list(map(type, [*many, one]))
