"""``mezz plugins check``: which laws of its kind a component obeys, without a test file."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Annotated, Any

import typer
from packaging.utils import canonicalize_name

from mezzanine_core.cli.listing import parse_kind
from mezzanine_core.cli.output import JsonFlag, count, print_field, print_json
from mezzanine_core.config.fields import Index, normalise, settings_of
from mezzanine_core.config.sources import flag_layer
from mezzanine_core.errors import ConfigError, PluginError
from mezzanine_core.plugins import Component, PluginRecord, Registry, load_registry
from mezzanine_core.testing.checking import Outcome, laws_of, outcome_of
from mezzanine_core.testing.reading import read_values
from mezzanine_core.testing.recipes import RecipeCase
from mezzanine_core.testing.subject import Case, Subject

_STATUS_WIDTH = len("does not apply")
_INDENT = _STATUS_WIDTH + 4


def _complete_name(incomplete: str) -> list[str]:
    registry = load_registry(strict=False)
    names = {found.spec.name for found in registry.components()}
    names |= {record.distribution for record in registry.plugins}
    return sorted(name for name in names if name.startswith(incomplete))


def check(
    name: Annotated[
        str,
        typer.Argument(
            help="A component (NAME or NAME@DISTRIBUTION), a distribution, or a plugin id.",
            autocompletion=_complete_name,
        ),
    ],
    kind: Annotated[
        str | None, typer.Option("--kind", help="The component's kind, where several have NAME.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="A setting of the component; repeatable."),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Check a component, or all that a plugin brings, against the laws of its kind.

    Laws that need more than settings, such as items that only the author knows, are left to a test
    suite (mezzanine_core.testing). Exits with 1 where a law is broken.
    """
    registry = load_registry()
    components = _named(registry, name, kind)
    given = _pairs(settings or [])
    if given and len(components) > 1:
        names = ", ".join(component.spec.name for component in components)
        raise ConfigError(
            f"--set is for one component, but {name} brings {len(components)}: {names}",
            hint="Check one of them at a time, by its name.",
        )
    found = []
    for component in components:
        with tempfile.TemporaryDirectory(prefix="mezz-check-") as folder:
            outcomes = _outcomes(_case(registry, component, given, Path(folder)))
            found.append((component, list(outcomes) if as_json else _shown(component, outcomes)))
    if as_json:
        print_json([_row(component, outcomes) for component, outcomes in found])
    if any(outcome.status == "fails" for _, outcomes in found for outcome in outcomes):
        raise typer.Exit(1)


def _named(registry: Registry, name: str, kind: str | None) -> list[Component]:
    """What a name means: one component, or all of a distribution or plugin."""
    if kind is not None:
        return [registry.get(parse_kind(kind), name)]
    records = _records(registry, name)
    if not records:
        return [registry.find(name)]
    for record in records:
        if record.status != "ok":
            raise PluginError(
                f"the plugin {record.id} is {record.status}: {record.cause}", hint=record.remedy
            )
    wanted = [(record.distribution, spec) for record in records for spec in record.specs]
    return [found for found in registry.components() if (found.distribution, found.spec) in wanted]


def _records(registry: Registry, name: str) -> list[PluginRecord]:
    if any(found.spec.name == name for found in registry.components()):
        return []
    distribution = canonicalize_name(name)
    return [
        record
        for record in registry.plugins
        if name == record.id or distribution == record.distribution
    ]


def _pairs(settings: Sequence[str]) -> dict[str, str]:
    pairs = {}
    for text in settings:
        key, equals, value = text.partition("=")
        if not equals or not key.strip():
            raise ConfigError(
                f"--set {text}: a setting is given as KEY=VALUE",
                hint="For instance `--set n_train=20`.",
            )
        pairs[normalise(key)] = value
    return pairs


def _case(registry: Registry, component: Component, given: Mapping[str, str], folder: Path) -> Case:
    """A component with the settings of ``--set``, which are refused here where they are wrong."""
    settings: Mapping[str, Any] = given
    make: type[Case] = RecipeCase
    if component.spec.kind != "recipe":
        make = Case
        model = component.load_config()
        index = Index(settings_of(model), ())
        for key in given:
            index.find(key)
        settings = read_values(model, flag_layer(given))
    subject = Subject(component.qualified, settings=settings)
    case = make(component.spec.kind, subject, folder, registry, lenient=True)
    if given:
        _ = case.config
    return case


def _outcomes(case: Case) -> Iterator[Outcome]:
    for law in laws_of(case.kind):
        with redirect_stdout(sys.stderr):
            outcome = outcome_of(law, case)
        yield outcome


def _shown(component: Component, outcomes: Iterator[Outcome]) -> list[Outcome]:
    """Print outcomes as they come, and how many there are of each."""
    typer.echo(f"{component.spec.kind} {component.qualified} {component.version}")
    seen: list[Outcome] = []
    for outcome in outcomes:
        typer.echo(f"  {outcome.status:<{_STATUS_WIDTH}}  {outcome.law.name.replace('_', ' ')}")
        label = "cause" if outcome.status == "fails" else "note"
        if outcome.cause and any(outcome.cause == earlier.cause for earlier in seen):
            print_field(label, "as above", indent=_INDENT)
        elif outcome.cause:
            print_field(label, outcome.cause, indent=_INDENT)
            if outcome.remedy:
                print_field("remedy", outcome.remedy, indent=_INDENT)
        seen.append(outcome)
    status = [outcome.status for outcome in seen]
    typer.echo(
        f"  of {count(len(status), 'law')} {status.count('holds')} hold, {status.count('fails')} "
        f"broken, {status.count('does not apply')} not applicable\n"
    )
    return seen


def _row(component: Component, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    return {
        "kind": component.spec.kind,
        "name": component.spec.name,
        "distribution": component.distribution,
        "version": component.version,
        "laws": [
            {
                "law": outcome.law.name,
                "statement": outcome.law.statement,
                "status": outcome.status,
                "cause": outcome.cause,
                "remedy": outcome.remedy,
            }
            for outcome in outcomes
        ],
    }
