"""Laws of recipes and presets; a suite runs the recipe twice, with the settings of its subject."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mezzanine_core.cache import LatentCache
from mezzanine_core.config.resolve import Resolved, resolve
from mezzanine_core.errors import MezzError
from mezzanine_core.progress import Progress
from mezzanine_core.results import RunRecord
from mezzanine_core.runs.execution import execute
from mezzanine_core.runs.planning import Plan, plan
from mezzanine_core.runs.settings import RunSettings
from mezzanine_core.testing.elsewhere import python_elsewhere
from mezzanine_core.testing.laws import BrokenLawError, Law, NotApplicableError, law, require
from mezzanine_core.testing.plugin import HEAVY
from mezzanine_core.testing.subject import Case

_COMPARED = ("metrics", "deltas", "verdict", "data")
"""Parts of the results that say what was found."""

_RELATIVE, _ABSOLUTE = 1e-6, 1e-9

_HELP = """
import json, sys
from mezzanine_core.cli import main
code = main(["run", *sys.argv[1:], "--help"])
names = {name.partition(".")[0] for name in sys.modules}
sys.stdout.write("\\n" + json.dumps([code, sorted(names)]))
"""


class RecipeCase(Case):
    """A recipe with the settings of a run; it is planned and run when a law asks for it."""

    @cached_property
    def resolved(self) -> Resolved:
        """The settings, resolved as those of a command are.

        Raises:
            MezzError: If they are wrong.
            NotApplicableError: If settings are missing and the case is lenient.
        """
        try:
            return self._resolve(flags=dict(self.subject.settings))
        except MezzError as error:
            if self.lenient and not self.subject.settings:
                raise NotApplicableError(f"{error.message}; give what it needs by --set") from error
            raise

    @cached_property
    def config(self) -> Any:
        """The configuration that the settings give."""
        return self.resolved.config

    def read_file(self, path: Path) -> Any:
        """The configuration of a run with that file."""
        return self._resolve(file=path).config

    def read_flags(self, flags: Mapping[str, str]) -> Any:
        """The configuration of a run with those flags."""
        return self._resolve(flags=flags).config

    def _resolve(self, **sources: Any) -> Resolved:
        return resolve(self.registry, self.component.qualified, **sources)

    @cached_property
    def planned(self) -> Plan:
        """What the first run was going to do, its cache empty."""
        self._refuse_unasked()
        return plan(self.resolved, self._settings("first"), self.registry)

    @cached_property
    def first(self) -> tuple[RunRecord, Path]:
        """The first run: its record and directory."""
        done = self._run("first", self.planned)
        cache = LatentCache(self._settings("first").cache_dir)
        self.shared["encoded"] = {entry.fingerprint: entry.rows for entry in cache.ls()}
        return done

    @cached_property
    def second(self) -> tuple[RunRecord, Path]:
        """The same run again, with what the first has cached."""
        return self._run("second", self.first)

    def _run(self, name: str, _after: object) -> tuple[RunRecord, Path]:
        if name in self.shared:
            raise self.shared[name]
        try:
            return execute(self.resolved, self._settings(name), self.registry, Progress(quiet=True))
        except MezzError as error:
            self.shared[name] = error  # it would fail the same way for every law
            raise

    def _settings(self, name: str) -> RunSettings:
        return RunSettings(
            out=self.folder / name,
            cache_dir=self.folder / "cache",
            device="cpu",
            workers=1,
            command=f"conformance of {self.component.qualified}",
        )

    def _refuse_unasked(self) -> None:
        """Run nothing at settings that nobody has chosen: they may take hours."""
        if self.lenient and not self.subject.settings:
            raise NotApplicableError("it runs the recipe; give settings of a small run by --set")


@law("Let the config module import pydantic and little else, and name the rest in strings.")
def help_imports_nothing_heavy(case: RecipeCase) -> None:
    """`mezz run NAME --help` works, and imports no heavy library."""
    arguments = [case.component.qualified]
    for slot, component in case.resolved.components.items():
        arguments += [f"--{slot.replace('_', '-')}", component.qualified]
    said = python_elsewhere("-c", _HELP, *arguments).decode()
    code, imported = json.loads(said.splitlines()[-1])
    require(code == 0, f"its --help exits with {code}")
    heavy = HEAVY & set(imported)
    require(not heavy, f"its --help imports {', '.join(sorted(heavy))}")


@law("Write each default of a preset under the name of a setting, with a permitted value.")
def its_settings_can_be_resolved(case: RecipeCase) -> None:
    """The defaults of a preset, and the settings that are given, are found and permitted."""
    # Whatever is wrong is raised by what resolves the settings of every run.
    case.resolved  # noqa: B018 - resolved when it is asked for


@law("Return Results of JSON values; artifacts are paths of files in the run's directory.")
def results_are_strict_json(case: RecipeCase) -> None:
    """results.json is JSON without NaN that fits its schema, and every artifact is there."""
    record, out = case.first
    text = (out / "results.json").read_text(encoding="utf-8")
    try:
        document = json.loads(text, parse_constant=_refuse_constant)
        RunRecord.model_validate(document)
    except (ValueError, ValidationError) as error:
        raise BrokenLawError(f"results.json is not what it should be: {error}") from error
    empty = [name for name in record.artifacts if not _has_content(out / name)]
    require(not empty, f"artifacts without content: {', '.join(empty)}")


@law("Announce files by ctx.artifact, and name them in Results.artifacts.")
def pictures_are_among_the_artifacts(case: RecipeCase) -> None:
    """Every picture that a run leaves in its directory is named among its artifacts."""
    record, out = case.first
    files = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    figures = {name for name in files if name.endswith((".png", ".svg", ".pdf"))}
    silent = sorted(figures - set(record.artifacts))
    require(not silent, f"pictures that are not among the artifacts: {', '.join(silent)}")


@law("Draw from mezzanine_core.context.repetition_rng, and seed every library's generator by it.")
def running_twice_gives_the_same(case: RecipeCase) -> None:
    """A second run of the same settings finds the same, to 1e-6 of each figure."""
    first, second = (record.model_dump(mode="json") for record, _ in (case.first, case.second))
    changed = [
        f"{where}: {one!r} and {other!r}"
        for part in _COMPARED
        for where, one, other in _differences(first[part], second[part], part)
    ]
    require(not changed, f"two runs differ in {'; '.join(changed[:3])}")


@law("Obtain all latents by ctx.latents, of columns whose keys are the same in every run.")
def a_second_run_encodes_nothing(case: RecipeCase) -> None:
    """A second run takes all its latents from the cache."""
    if not case.first[0].cache.requested:
        raise NotApplicableError("it asks for no latents")
    counts = case.second[0].cache
    require(not counts.encoded, f"the second run encoded {counts.encoded} items again")
    require(not counts.materialised, f"the second run materialised {counts.materialised} items")


@law("Let latent_requests name every column of which run() obtains latents, with its encoder.")
def latents_are_what_was_planned(case: RecipeCase) -> None:
    """A run encodes what latent_requests names, no more and no less.

    Latents by encoders that are the recipe's own business, which fills no slot, do not count.
    """
    record, _ = case.first
    slots = {
        record.components[slot].fingerprint
        for slot, component in case.resolved.components.items()
        if component.spec.kind == "encoder"
    }
    named = slots | {request.encoder for request in case.planned.latents}
    if not named:
        raise NotApplicableError("it has no encoder")
    expected = case.planned.total.to_encode
    encoded = sum(case.shared["encoded"].get(encoder, 0) for encoder in named)
    require(
        encoded == expected,
        f"latent_requests name {expected} items to encode, the run encoded {encoded}",
    )


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _has_content(path: Path) -> bool:
    if path.is_dir():
        return any(path.iterdir())
    return path.is_file() and path.stat().st_size > 0


def _differences(one: Any, other: Any, where: str) -> Iterator[tuple[str, Any, Any]]:
    """Where two JSON values differ, with both."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted({*one, *other}):
            yield from _differences(one.get(key), other.get(key), f"{where}.{key}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for place, (left, right) in enumerate(zip(one, other, strict=True)):
            yield from _differences(left, right, f"{where}[{place}]")
    elif isinstance(one, float) and isinstance(other, float):
        if not math.isclose(one, other, rel_tol=_RELATIVE, abs_tol=_ABSOLUTE):
            yield where, one, other
    elif one != other:
        yield where, one, other


LAWS: tuple[Law, ...] = (
    help_imports_nothing_heavy,
    its_settings_can_be_resolved,
    results_are_strict_json,
    pictures_are_among_the_artifacts,
    running_twice_gives_the_same,
    a_second_run_encodes_nothing,
    latents_are_what_was_planned,
)
