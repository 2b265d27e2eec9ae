"""The distributions of the repository as their sources and metadata describe them."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Import:
    """One imported module, or name of a module.

    Attributes:
        module: The module, dotted; of a relative import, its whole name.
        name: What is taken from it, or ``None`` where the module itself is imported.
        line: Where.
    """

    module: str
    name: str | None
    line: int

    @property
    def package(self) -> str:
        """The import package that the module is of."""
        return self.module.partition(".")[0]

    @property
    def parts(self) -> list[str]:
        """All names that the import spells out."""
        return [*self.module.split("."), *([self.name] if self.name else [])]


@dataclass(frozen=True)
class Module:
    """One module of a distribution.

    Attributes:
        path: Its file.
        name: Its dotted name.
    """

    path: Path
    name: str

    @cached_property
    def text(self) -> str:
        """Its source text."""
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        """Its syntax tree."""
        return ast.parse(self.text, str(self.path))

    @cached_property
    def imports(self) -> list[Import]:
        """Every import in it, those within functions and for type checking too."""
        return list(self._imports())

    def _imports(self) -> Iterator[Import]:
        package = self.name if self.path.stem == "__init__" else self.name.rpartition(".")[0]
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield Import(alias.name, None, node.lineno)
            elif isinstance(node, ast.ImportFrom):
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                parts = [*(above if node.level else []), *([node.module] if node.module else [])]
                for alias in node.names:
                    yield Import(".".join(parts), alias.name, node.lineno)


@dataclass(frozen=True)
class Distribution:
    """One distribution.

    Attributes:
        path: The directory of its pyproject.toml.
        project: The table ``project`` of that file.
    """

    path: Path
    project: dict[str, Any]

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.project["name"])

    @property
    def package(self) -> str:
        """Its import package."""
        return self.name.replace("-", "_")

    @cached_property
    def modules(self) -> list[Module]:
        """The modules that it ships, but for templates of files that are no modules of its own."""
        source = self.path / "src"
        found = []
        for path in sorted((source / self.package).rglob("*.py")):
            parts = path.relative_to(source).with_suffix("").parts
            if all(part.isidentifier() for part in parts) and "templates" not in parts:
                name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
                found.append(Module(path, name))
        return found


def _read() -> list[Distribution]:
    files = [
        file
        for folder in ("packages", "examples")
        for file in sorted((ROOT / folder).glob("**/pyproject.toml"))
        if (file.parent / "src").is_dir()
    ]
    projects = [(file, tomllib.loads(file.read_text(encoding="utf-8"))) for file in files]
    return [Distribution(file.parent, table["project"]) for file, table in projects]


DISTRIBUTIONS = _read()


@pytest.fixture(params=DISTRIBUTIONS, ids=[each.name for each in DISTRIBUTIONS])
def distribution(request: pytest.FixtureRequest) -> Distribution:
    """Each distribution of the repository, the examples among them."""
    return request.param  # type: ignore[no-any-return]


@pytest.fixture(scope="session")
def own_packages() -> frozenset[str]:
    """The import packages of all distributions of the repository."""
    return frozenset(each.package for each in DISTRIBUTIONS)
