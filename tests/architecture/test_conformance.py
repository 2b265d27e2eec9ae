"""Every component that a distribution announces is held to the laws of its kind by some test."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
SUBJECT = re.compile(r'\bSubject\(\s*"([\w.-]+)"')


def subjects() -> set[str]:
    """The names of all subjects of conformance suites."""
    files = [*ROOT.glob("packages/**/tests/**/test_*.py"), *ROOT.glob("examples/*/tests/test_*.py")]
    return {name for file in files for name in SUBJECT.findall(file.read_text(encoding="utf-8"))}


def announced(distribution) -> set[str]:
    """The names in the `Spec`s of a distribution's plugin modules."""
    entries = distribution.project["entry-points"]["mezzanine"].values()
    return {
        ast.literal_eval(keyword.value)
        for module in distribution.modules
        if module.name in entries
        for call in ast.walk(module.tree)
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "Spec"
        for keyword in call.keywords
        if keyword.arg == "name"
    }


def test_every_component_has_a_conformance_suite(distribution):
    names = announced(distribution)
    assert names
    assert names - subjects() == set()
