"""What every module and every distribution has."""

import ast

MOST_LINES = 420
"""Modules have about 400 lines at most."""


def test_modules_are_small(distribution):
    long = {
        module.name: lines
        for module in distribution.modules
        if (lines := len(module.text.splitlines())) > MOST_LINES
    }
    assert long == {}


def test_every_module_says_what_it_is_for(distribution):
    silent = [
        module.name
        for module in distribution.modules
        if module.text.strip() and not ast.get_docstring(module.tree)
    ]
    assert silent == []


def test_a_distribution_is_typed_tested_and_described(distribution):
    assert (distribution.path / "src" / distribution.package / "py.typed").is_file()
    assert (distribution.path / "README.md").read_text(encoding="utf-8").startswith("# ")
    assert list((distribution.path / "tests").rglob("test_*.py"))
    assert "Typing :: Typed" in distribution.project["classifiers"]
