"""Laws of the module that an entry point names, and of what it announces."""

from __future__ import annotations

import importlib.metadata
import json
import sys
from collections.abc import Iterable

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from mezzanine_core.plugins.loading import CORE
from mezzanine_core.testing.elsewhere import python_elsewhere
from mezzanine_core.testing.laws import Law, NotApplicableError, law, require
from mezzanine_core.testing.subject import Case

HEAVY = frozenset(
    {
        "av",
        "cv2",
        "datasets",
        "gymnasium",
        "huggingface_hub",
        "jax",
        "lerobot",
        "matplotlib",
        "mujoco",
        "optuna",
        "pandas",
        "peft",
        "pyarrow",
        "pygame",
        "pymunk",
        "safetensors",
        "scipy",
        "sklearn",
        "tensorboard",
        "tensorflow",
        "tokenizers",
        "torch",
        "torchvision",
        "transformers",
        "wandb",
        "zarr",
        "zarrs",
    }
)
"""Packages that take so long to import that help and listings must do without them."""

_IMPORTED = """
import importlib, json, sys
importlib.import_module(sys.argv[1])
before = set(sys.modules)
importlib.import_module(sys.argv[2])
names = {name.partition(".")[0] for name in set(sys.modules) - before}
sys.stdout.write("\\n" + json.dumps(sorted(names)))
"""

_SUMMARY = 100


@law("Import only mezzanine_core and the standard library in it; a Spec names the rest in strings.")
def the_plugin_module_imports_nothing_heavy(case: Case) -> None:
    """The plugin module imports mezzanine_core, the standard library and its package alone."""
    module = case.record.module.partition(":")[0].strip()
    imported = _imports(module, "mezzanine_core")
    others = imported - set(sys.stdlib_module_names) - {module.partition(".")[0], "mezzanine_core"}
    require(not others, f"{module} imports {_listed(others)}")


@law("Keep the configuration in a module of its own that imports pydantic and little else.")
def the_configuration_imports_nothing_heavy(case: Case) -> None:
    """The module of the configuration, which help imports, imports no heavy library."""
    module = case.component.spec.config.partition(":")[0]
    heavy = _imports(module, "mezzanine_core.config") & HEAVY
    require(not heavy, f"{module} imports {_listed(heavy)}")


@law("Write one short line in the Spec's summary, for listings.")
def the_summary_is_one_line(case: Case) -> None:
    """The summary of the Spec is one line of 1 to 100 characters."""
    summary = case.component.spec.summary
    fits = 0 < len(summary.strip()) <= _SUMMARY and "\n" not in summary
    require(fits, f"the summary {summary!r} is not one line of 1 to {_SUMMARY} characters")


@law("Let the Spec's factory name a class that derives from the contract of its kind.")
def the_factory_makes_what_is_announced(case: Case) -> None:
    """The factory, called with the configuration, makes a component of the announced kind."""
    # Whatever is wrong is raised by what constructs components for every run.
    case.make()


@law("Add the range to the dependencies in pyproject.toml: mezzanine-core>=0.N,<0.N+1.")
def the_distribution_says_which_core_it_needs(case: Case) -> None:
    """The distribution requires mezzanine-core, up to some version."""
    distribution = case.component.distribution
    if distribution == CORE:
        raise NotApplicableError("it comes with core")
    texts = importlib.metadata.requires(distribution) or []
    found = [
        requirement.specifier
        for requirement in map(Requirement, texts)
        if canonicalize_name(requirement.name) == CORE
    ]
    require(found, f"{distribution} does not require {CORE}")
    bounded = any(not specifier.contains("9999") for specifier in found)
    require(bounded, f"{distribution} requires {CORE}{found[0]}, which any later version meets")


def _imports(module: str, after: str) -> set[str]:
    """Packages that a fresh process imports for a module, besides those that ``after`` needs."""
    said = python_elsewhere("-c", _IMPORTED, after, module).decode()
    return set(json.loads(said.splitlines()[-1]))


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))


LAWS: tuple[Law, ...] = (
    the_plugin_module_imports_nothing_heavy,
    the_configuration_imports_nothing_heavy,
    the_summary_is_one_line,
    the_factory_makes_what_is_announced,
    the_distribution_says_which_core_it_needs,
)
