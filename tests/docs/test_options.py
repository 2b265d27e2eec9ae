"""Every command and option that a page names exists."""

import re

import pytest
from options import all_options, commands_in, is_recipe, unknown_options
from pages import ROOT, blocks, pages

_FENCE = re.compile(r"^```(\w+)[^\n]*\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_SPAN = re.compile(r"`([^`\n]+)`")
_SHELL = ("sh", "bash", "shell", "console")


def shell_in(text):
    """Shell of a page: fenced blocks, indented ones that call `mezz`, and code spans that do."""
    yield from (code for language, code in _FENCE.findall(text) if language in _SHELL)
    prose = _FENCE.sub("", text)
    indented = re.findall(r"^ {4}(mezz .*(?:\\\n.*)*)$", prose, re.MULTILINE)
    yield from indented
    yield from (span for span in _SPAN.findall(prose) if span.startswith("mezz "))


def read(page):
    return (ROOT / page).read_text(encoding="utf-8")


@pytest.mark.parametrize("page", pages(), ids=str)
def test_every_command_on_a_page_exists_with_its_options(page):
    calls = [words for code in shell_in(read(page)) for words in commands_in(code)]
    if any(block.title == "pyproject.toml" for block in blocks(page)):
        # The page brings recipes of its own; that these run is another test.
        calls = [words for words in calls if words[:1] != ["run"] or is_recipe(words[1])]
    wrong = {" ".join(words): found for words in calls if (found := unknown_options(words))}
    assert wrong == {}


@pytest.mark.parametrize("page", pages(), ids=str)
def test_every_option_in_the_text_of_a_page_exists(page):
    spans = _SPAN.findall(_FENCE.sub("", read(page)))
    named = {span.split()[0].partition("=")[0] for span in spans if span.startswith("--")}
    options = {name.strip("…,.").replace("_", "-") for name in named}
    assert sorted(options - all_options()) == []


def test_a_misspelt_option_is_noticed():
    assert unknown_options(["run", "iphyre_latent_dynamics", "--n_trian", "3"]) == ["--n-trian"]
    assert unknown_options(["cache", "verify", "--remove", "--speed"]) == ["--speed"]
    with pytest.raises(LookupError, match="sweep"):
        unknown_options(["cache", "sweep"])


def test_commands_are_found_among_other_shell():
    code = "cat x | .venv/bin/mezz predict out --input - && mezz run A \\\n  --seed 1  # mezz no\n"
    assert list(commands_in(code)) == [
        ["predict", "out", "--input", "-"],
        ["run", "A", "--seed", "1"],
    ]
