import ast
import tomllib
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet

from mezzanine_core import __version__
from mezzanine_core.errors import ConfigError
from mezzanine_core.scaffold import Details, choose_names, render_package
from mezzanine_core.scaffold.rendering import LONGEST_DESCRIPTION, core_range
from mezzanine_core.specs import KINDS

LONGEST = "a23456789012345678901234"

printable = st.text(
    st.characters(exclude_categories=("C", "Z"), include_characters=" "), min_size=1
)


def rendered(kind, name="hopper", distribution=None, **details):
    return render_package(choose_names(kind, name, distribution), Details(**details))


def project(files):
    return tomllib.loads(files[PurePosixPath("pyproject.toml")])["project"]


def announced(files, package):
    """The summary in the spec of a package's first component."""
    tree = ast.parse(files[PurePosixPath(f"src/{package}/plugin.py")])
    (*_, value) = [
        node.value.value
        for node in ast.walk(tree)
        if isinstance(node, ast.keyword) and node.arg == "summary"
    ][:1]
    return value


@pytest.mark.parametrize("kind", KINDS)
def test_a_package_has_everything_that_one_needs(kind):
    names = choose_names(kind, "hopper")
    files = render_package(names)
    package = PurePosixPath("src", names.package)
    assert {
        package / name for name in ("__init__.py", "plugin.py", "config.py", "py.typed")
    } <= set(files)
    assert {package / f"{kind}.py", PurePosixPath("tests/test_conformance.py")} <= set(files)
    assert {
        PurePosixPath(name) for name in (".gitignore", "README.md", ".github/workflows/tests.yml")
    } <= set(files)
    assert project(files)["entry-points"] == {"mezzanine": {"hopper": f"{names.package}.plugin"}}


@pytest.mark.parametrize("kind", KINDS)
def test_no_placeholder_is_left_but_those_of_the_workflow(kind):
    left = {path: text for path, text in rendered(kind).items() if "$" in text}
    assert set(left) <= {
        PurePosixPath(".github/workflows/tests.yml"),
        PurePosixPath("src/mezzanine_trackers_hopper/config.py"),
    }
    for text in left.values():
        assert "${{ matrix.python }}" in text or r"\.csv$" in text
        assert text.count("$") == 1


def bound(module):
    """The names that the statements of a module bind, each as often as it is bound."""
    for statement in module.body:
        if isinstance(statement, ast.ImportFrom | ast.Import):
            yield from (each.asname or each.name for each in statement.names)
        elif isinstance(statement, ast.ClassDef | ast.FunctionDef):
            yield statement.name


@pytest.mark.parametrize(
    "name", ["toy", "frame_column", "turn", "image", "thread_pool", "interval"]
)
@pytest.mark.parametrize("kind", KINDS)
def test_no_class_hides_another(kind, name):
    for path, text in rendered(kind, name).items():
        if path.suffix == ".py":
            names = list(bound(ast.parse(text)))
            assert len(set(names)) == len(names), path


def test_the_range_of_core_holds_this_core():
    assert (
        project(rendered("world"))["dependencies"][0] == f"mezzanine-core{core_range(__version__)}"
    )
    assert __version__ in SpecifierSet(core_range(__version__))


@pytest.mark.parametrize(
    ("version", "given"),
    [
        ("0.3.2", ">=0.3,<0.4"),
        ("0.9.0", ">=0.9,<0.10"),
        ("1.4.0", ">=1.4,<2"),
        ("2.0.0rc1", ">=2.0,<3"),
    ],
)
def test_the_range_ends_where_plugins_may_break(version, given):
    assert core_range(version) == given


@given(description=printable.filter(lambda text: len(text) <= LONGEST_DESCRIPTION and text.strip()))
def test_a_description_arrives_as_it_was_given(description):
    files = rendered("encoder", description=description)
    assert project(files)["description"] == description
    assert announced(files, "mezzanine_encoders_hopper") == description


@given(name=printable.filter(lambda text: text.strip() and not set("<>") & set(text)))
def test_an_author_arrives_as_given(name):
    name = name.strip()
    assert project(rendered("world", author=name))["authors"] == [{"name": name}]
    given = project(rendered("world", author=f"{name} <ada@example.org>"))["authors"]
    assert given == [{"name": name, "email": "ada@example.org"}]


def test_without_an_author_none_is_made_up():
    assert "authors" not in project(rendered("world"))


@pytest.mark.parametrize(
    ("details", "says"),
    [
        ({"description": "two\nlines"}, "not one line of printable text"),
        ({"description": ""}, "not one line"),
        ({"description": "a\x7f"}, "not one line"),
        ({"description": "x" * 71}, "has 71 letters; at most 70"),
        ({"author": "<ada@example.org>"}, "is no author"),
        ({"author": "Ada <ada>"}, "is no author"),
        ({"author": "Ada\tL"}, "not one line"),
    ],
)
def test_details_of_another_form_are_refused(details, says):
    with pytest.raises(ConfigError, match=says):
        Details(**details)
