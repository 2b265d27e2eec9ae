"""Who may import whom."""

import ast
import sys

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

CORE = "mezzanine_core"
ABOVE_CORE = {"mezzanine_recipes_dynamics": {"mezzanine_recipes_distill"}}
"""What a distribution may import besides core: everything else meets through core, by name."""

DISTRIBUTION_OF = {
    "PIL": "pillow",
    "google_crc32c": "google-crc32c",
    "markupsafe": "jinja2",
    "pydantic_core": "pydantic",
    "torchcodec": "lerobot",
    "yaml": "pyyaml",
}
"""Import package → the distribution whose requirement brings it, where the names differ."""

HEAVY = {"torch", "transformers", "datasets", "sklearn", "pandas", "jax", "tensorflow"}


def places(module, imports) -> list[str]:
    return [f"{module.name}:{each.line} imports {'.'.join(each.parts)}" for each in imports]


def test_distributions_import_each_other_one_way(distribution, own_packages):
    allowed = {distribution.package} | ABOVE_CORE.get(distribution.package, set())
    allowed |= {CORE} if distribution.package != CORE else set()
    wrong = [
        place
        for module in distribution.modules
        for place in places(
            module, [each for each in module.imports if each.package in own_packages - allowed]
        )
    ]
    assert wrong == []


def test_what_is_imported_is_declared(distribution):
    extras = distribution.project.get("optional-dependencies", {})
    texts = [
        *distribution.project["dependencies"],
        *(one for each in extras.values() for one in each),
    ]
    declared = {canonicalize_name(Requirement(text).name) for text in texts}
    present = {distribution.package, "__future__", *sys.stdlib_module_names}
    wrong = [
        place
        for module in distribution.modules
        for place in places(
            module,
            [
                each
                for each in module.imports
                if each.package not in present
                and canonicalize_name(DISTRIBUTION_OF.get(each.package, each.package))
                not in declared
            ],
        )
    ]
    assert wrong == []


def test_what_a_distribution_of_ours_imports_of_another_is_required_by_it(
    distribution, own_packages
):
    needed = {Requirement(text).name for text in distribution.project["dependencies"]}
    imported = {each.package for module in distribution.modules for each in module.imports}
    others = {name.replace("_", "-") for name in imported & own_packages - {distribution.package}}
    assert others <= needed


def test_core_imports_nothing_heavy(distribution):
    if distribution.package != CORE:
        return
    wrong = [
        place
        for module in distribution.modules
        for place in places(module, [each for each in module.imports if each.package in HEAVY])
    ]
    assert wrong == []


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.endswith("__")


def test_no_module_takes_a_private_name_of_another_distribution(distribution):
    wrong = []
    for module in distribution.modules:
        own = {distribution.package, "__future__", *sys.stdlib_module_names}
        foreign = [each for each in module.imports if each.package not in own]
        taken = [each for each in foreign if any(map(is_private, each.parts))]
        wrong += places(module, taken)
        modules = {(each.name or each.package) for each in foreign if each.name is None}
        wrong += [
            f"{module.name}:{node.lineno} uses {node.value.id}.{node.attr}"
            for node in ast.walk(module.tree)
            if isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id in modules
            and is_private(node.attr)
        ]
    assert wrong == []


def test_plugin_modules_import_core_alone(distribution):
    entries = distribution.project["entry-points"]["mezzanine"].values()
    plugins = [module for module in distribution.modules if module.name in entries]
    assert len(plugins) == len(entries)
    for plugin in plugins:
        names = {each.module for each in plugin.imports}
        assert names <= {"__future__", CORE}, plugin.name
