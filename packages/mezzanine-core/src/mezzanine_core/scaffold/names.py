"""What a new plugin and its package are called, and which names cannot be had."""

from __future__ import annotations

import importlib
import importlib.util
import keyword
import re
import sys
import unicodedata
from dataclasses import dataclass

from packaging.utils import canonicalize_name

from mezzanine_core.errors import ConfigError
from mezzanine_core.plugins.catalog import KNOWN, known_component
from mezzanine_core.plugins.components import PLURALS
from mezzanine_core.plugins.registry import Registry
from mezzanine_core.plugins.requirements import installed_version
from mezzanine_core.specs import KINDS, Kind

LONGEST_NAME = 24
"""Letters of a component's name at most: what the lines of the templates have room for."""

LONGEST_DISTRIBUTION = 45
"""Letters of a distribution's name at most, for the same reason."""

_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_DISTRIBUTION = re.compile(r"[A-Za-z]([A-Za-z0-9._-]*[A-Za-z0-9])?")

_KIND_WORDS = frozenset({*KINDS, *PLURALS.values()})
_TAKEN_ON_PYPI = frozenset({"mezzanine", "mezzanine-recipes"})
_FIRST_PARTY = frozenset({"mezzanine-core", *(known.distribution for known in KNOWN)})


@dataclass(frozen=True, slots=True)
class Names:
    """The names of a component and of the package that brings it.

    Attributes:
        kind: What the component is.
        name: Its short name, such as ``my_hopper``.
        distribution: The distribution, such as ``mezzanine-worlds-my-hopper``.
    """

    kind: Kind
    name: str
    distribution: str

    @property
    def package(self) -> str:
        """The import package: the distribution's name with underscores."""
        return self.distribution.replace("-", "_")

    @property
    def stem(self) -> str:
        """What the names of classes begin with: ``MyHopper``, without the kind at its end."""
        return _camel(self.name.removesuffix(f"_{self.kind}"))

    @property
    def components(self) -> tuple[tuple[Kind, str], ...]:
        """Kind and short name of everything that the package announces."""
        if self.kind == "recipe":  # it brings data of its own to be tried on
            return (self.kind, self.name), ("world", f"{self.name}_toy")
        return ((self.kind, self.name),)


def choose_names(kind: Kind, name: str, distribution: str | None = None) -> Names:
    """The names of a package for a component of that name.

    Args:
        kind: What the component is.
        name: Its short name: lower-case words joined by underscores or dashes.
        distribution: Name of the distribution; by default ``mezzanine-<kinds>-<name>``.

    Raises:
        ConfigError: If the component or the distribution cannot be called so, or a first-party one
            is; the message says why, the hint what can be done.
    """
    short = name.replace("-", "_")
    _check_name(kind, name, short)
    default = f"mezzanine-{PLURALS[kind]}-{short}"
    names = Names(kind, short, canonicalize_name(default if distribution is None else distribution))
    for its_kind, its_name in names.components:
        if known := known_component(its_kind, its_name):
            raise ConfigError(
                f"the {its_kind} {its_name!r} is one of {known.distribution}",
                hint="Two components of one name cannot be told apart. Choose another name.",
            )
    for module, class_name in (
        (PLURALS[kind], f"{names.stem}{kind.capitalize()}"),
        ("config", f"{names.stem}Config"),
    ):
        if hasattr(importlib.import_module(f"mezzanine_core.{module}"), class_name):
            raise ConfigError(
                f"{name!r} cannot be the name of {article(kind)} {kind}: one of its classes would "
                f"be called {class_name}, like one of core",
                hint="Choose another name.",
            )
    _check_distribution(names.distribution if distribution is None else distribution, names)
    return names


def check_free(names: Names, registry: Registry) -> None:
    """Check that nothing which is installed has these names.

    Args:
        names: The names of a new package.
        registry: The installed plugins.

    Raises:
        ConfigError: If a component, a distribution or an import package has one of them.
    """
    version = installed_version(names.distribution)
    if version is not None:
        hint = "Choose another name for the distribution with --dist."
        if any(plugin.distribution == names.distribution for plugin in registry.plugins):
            hint += f" To write this one anew, uninstall it: pip uninstall {names.distribution}"
        raise ConfigError(f"{names.distribution} {version} is installed already", hint=hint)
    for kind, name in names.components:
        for found in registry.components(kind):
            if found.spec.name == name:
                raise ConfigError(
                    f"there is {article(kind)} {kind} {name!r} already, of {found.distribution}",
                    hint="Two components of one name cannot be told apart. Choose another name.",
                )
    spec = importlib.util.find_spec(names.package)
    if spec is not None and spec.origin is not None:
        raise ConfigError(
            f"there is an import package {names.package} already, in {spec.origin}",
            hint="Choose another name for the distribution with --dist.",
        )


def _check_name(kind: Kind, given: str, short: str) -> None:
    if not _NAME.fullmatch(short):
        near = "_".join(re.findall(r"[a-z0-9]+", _snake(given)))
        example = near if _NAME.fullmatch(near) else f"my_{kind}"
        raise ConfigError(
            f"{given!r} cannot be the name of {article(kind)} {kind}",
            hint="A name is lower-case words and digits joined by underscores, a letter first: "
            f"{example}, say.",
        )
    if len(short) > LONGEST_NAME:
        raise ConfigError(
            f"the name {given!r} has {len(short)} letters; at most {LONGEST_NAME} are allowed",
            hint="It is typed as a flag, and the names of the classes are made of it.",
        )
    if short in _KIND_WORDS or keyword.iskeyword(short):
        what = "a kind of component" if short in _KIND_WORDS else "a word of Python's own"
        raise ConfigError(
            f"{given!r} cannot be the name of {article(kind)} {kind}: it is {what}",
            hint=f"Choose another: my_{short}, say.",
        )
    if short.startswith("test"):
        raise ConfigError(
            f"{given!r} cannot be the name of {article(kind)} {kind}: pytest would take its "
            "classes for tests",
            hint="Choose a name that does not start with `test`.",
        )


def _check_distribution(given: str, names: Names) -> None:
    name, package = names.distribution, names.package
    problem = None
    if not _DISTRIBUTION.fullmatch(given):
        problem = "it may hold letters, digits, dashes, dots and underscores, a letter first"
    elif len(name) > LONGEST_DISTRIBUTION:
        problem = f"it has {len(name)} letters, and at most {LONGEST_DISTRIBUTION} are allowed"
    elif name in _TAKEN_ON_PYPI:
        problem = "it is another project on PyPI"
    elif name in _FIRST_PARTY:
        problem = "it is one of Mezzanine's own"
    elif package in sys.stdlib_module_names or keyword.iskeyword(package):
        problem = f"its import package {package} would hide Python's own"
    elif package == "tests":
        problem = "its import package would be mistaken for its tests"
    if problem is not None:
        raise ConfigError(
            f"{given!r} cannot be the name of the distribution: {problem}",
            hint="Choose another with --dist, such as mezzanine-worlds-my-lab.",
        )


def article(kind: Kind) -> str:
    """What stands before the name of a kind: ``a`` or ``an``."""
    return "an" if kind[0] in "aeiou" else "a"


def _snake(name: str) -> str:
    """``MyHopper`` as ``my_hopper``, and letters without their accents."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", plain).lower()


def _camel(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))
