"""Loads one plugin, and says in its own words what is wrong with it."""

from __future__ import annotations

import difflib
import re
import sys
import traceback
from collections.abc import Iterable
from contextlib import redirect_stdout
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from typing import Any

import pluggy

from mezzanine_core import hookspecs
from mezzanine_core._version import __version__
from mezzanine_core.errors import MezzError
from mezzanine_core.hookspecs import PROJECT
from mezzanine_core.plugins.components import Status
from mezzanine_core.plugins.registry import plugin_hook
from mezzanine_core.plugins.requirements import applies, parse_requirement
from mezzanine_core.specs import Kind, Spec

CORE = "mezzanine-core"
"""The distribution that plugins plug into."""

COMPONENT_HOOKS: dict[Kind, str] = {
    "world": "mezz_worlds",
    "symmetry": "mezz_symmetries",
    "encoder": "mezz_encoders",
    "recipe": "mezz_recipes",
    "tracker": "mezz_trackers",
    "executor": "mezz_executors",
}
"""The hook that announces components of each kind."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An entry point to be loaded.

    Attributes:
        entry: The entry point.
        distribution: Normalised name of its distribution.
        version: Version of its distribution.
        requires: The distribution's requirements, as its metadata has them.
    """

    entry: EntryPoint
    distribution: str
    version: str
    requires: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """``distribution:entry-point``."""
        return f"{self.distribution}:{self.entry.name}"


class Rejected(Exception):  # noqa: N818 - an outcome of loading, not an error by itself
    """A plugin is not taken.

    Attributes:
        status: What it is instead of ``ok``.
        cause: Why.
        remedy: The command that mends it.
    """

    def __init__(self, status: Status, cause: str, remedy: str | None) -> None:
        super().__init__(cause)
        self.status = status
        self.cause = cause
        self.remedy = remedy


class PluginLoader:
    """Loads plugins one by one onto a plugin manager.

    Attributes:
        manager: Where those that are fine are registered, under ``distribution:entry-point``.
    """

    def __init__(self) -> None:
        self.manager = pluggy.PluginManager(PROJECT)
        self.manager.add_hookspecs(hookspecs)
        self._announced: dict[tuple[str, Kind, str], str] = {}

    def load(self, candidate: Candidate) -> tuple[Spec, ...]:
        """Check, import and register a plugin, and ask it for its components.

        What it prints goes to stderr, so that it cannot spoil the output of a command.

        Raises:
            Rejected: If anything is wrong with it.
            KeyboardInterrupt: If the user interrupts.
        """
        check_core_requirement(candidate)
        if self.manager.has_plugin(candidate.id):
            raise Rejected(
                "duplicate",
                f"{candidate.distribution} has two entry points {candidate.entry.name!r}",
                f"pip install --force-reinstall {candidate.distribution}",
            )
        with redirect_stdout(sys.stderr):
            plugin = self._import(candidate)
            self._register(candidate, plugin)
            try:
                specs = self._specs(candidate, plugin)
                self._claim(candidate, specs)
            except Rejected:
                self.manager.unregister(name=candidate.id)
                raise
        return specs

    def _import(self, candidate: Candidate) -> object:
        upgrade = f"pip install --upgrade {candidate.distribution}"
        try:
            plugin: object = candidate.entry.load()
        except KeyboardInterrupt:
            raise
        except ModuleNotFoundError as error:
            module = candidate.entry.value.partition(":")[0].strip()
            lost = error.name is not None and f"{module}.".startswith(f"{error.name}.")
            reinstall = f"pip install --force-reinstall {candidate.distribution}"
            raise Rejected(
                "broken", describe(error, candidate), reinstall if lost else upgrade
            ) from error
        except BaseException as error:  # SystemExit too, which must not end us
            raise Rejected("broken", describe(error, candidate), upgrade) from error
        return plugin

    def _register(self, candidate: Candidate, plugin: object) -> None:
        upgrade = f"pip install --upgrade {candidate.distribution}"
        first = self.manager.get_name(plugin)
        if first is not None:
            raise Rejected(
                "duplicate",
                f"{candidate.entry.value} is loaded already, as the plugin {first}",
                f"pip uninstall {candidate.distribution}",
            )
        try:
            self.manager.register(plugin, name=candidate.id)
            self.manager.check_pending()
        except Exception as error:
            cause = _misspelt(self.manager, plugin)
            if cause is None and isinstance(error, pluggy.PluginValidationError):
                cause = " ".join(str(error).split())
            elif cause is None:
                cause = describe(error, candidate)
            if self.manager.has_plugin(candidate.id):
                self.manager.unregister(name=candidate.id)
            raise Rejected("broken", cause, upgrade) from error
        if not self.manager.get_hookcallers(plugin):
            self.manager.unregister(name=candidate.id)
            raise Rejected("broken", _without_hooks(candidate, plugin), upgrade)

    def _specs(self, candidate: Candidate, plugin: object) -> tuple[Spec, ...]:
        implemented = {caller.name for caller in self.manager.get_hookcallers(plugin) or ()}
        specs: list[Spec] = []
        for kind, hook in COMPONENT_HOOKS.items():
            if hook not in implemented:
                continue
            try:
                specs += _checked(plugin_hook(self.manager, hook, plugin)(), kind, hook)
            except KeyboardInterrupt:
                raise
            except BaseException as error:
                cause = str(error) if isinstance(error, _Nonsense) else describe(error, candidate)
                raise Rejected(
                    "broken", cause, f"pip install --upgrade {candidate.distribution}"
                ) from error
        return tuple(specs)

    def _claim(self, candidate: Candidate, specs: Iterable[Spec]) -> None:
        """Note who announces what; within one distribution a name must be announced once."""
        claims = [(candidate.distribution, spec.kind, spec.name) for spec in specs]
        for claim in claims:
            _, kind, name = claim
            if claims.count(claim) > 1:
                raise Rejected(
                    "broken",
                    f"it announces the {kind} {name!r} twice",
                    f"pip install --upgrade {candidate.distribution}",
                )
            if claim in self._announced:
                raise Rejected(
                    "duplicate",
                    f"the {kind} {name!r} is announced by {self._announced[claim]} already",
                    f"pip install --upgrade {candidate.distribution}",
                )
        self._announced.update(dict.fromkeys(claims, candidate.id))


def check_core_requirement(candidate: Candidate) -> None:
    """Check, from metadata alone, that a plugin takes this version of core.

    Raises:
        Rejected: If it needs another one, or its requirement on core cannot be read.
    """
    for text in candidate.requires:
        if not re.match(r"mezzanine[-_.]+core(?![\w.-])", text, re.IGNORECASE):
            continue
        try:
            requirement = parse_requirement(text, candidate.distribution)
        except MezzError as error:
            raise Rejected("broken", error.message, error.hint) from error
        if applies(requirement) and not requirement.specifier.contains(
            __version__, prereleases=True
        ):
            raise Rejected(
                "incompatible",
                f"{candidate.distribution} {candidate.version} needs {CORE}"
                f"{requirement.specifier}, but this is {CORE} {__version__}",
                f"pip install --upgrade {CORE} {candidate.distribution}",
            )


def describe(error: BaseException, candidate: Candidate) -> str:
    """An exception as a cause: its type, its message, and where in the plugin it arose."""
    message = str(error).strip().splitlines()
    text = type(error).__name__ + (f": {message[0]}" if message else "")
    if isinstance(error, SystemExit):
        text = f"it called sys.exit({error.code!r})"
    where = _where(error, candidate.entry.value.partition(":")[0].strip().partition(".")[0])
    return f"{text} ({where})" if where else text


def _where(error: BaseException, package: str) -> str | None:
    """``file:line`` of the innermost frame in ``package``, or ``None`` if it has no frame."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}"
    places = [
        (frame.f_globals.get("__name__", ""), f"{frame.f_code.co_filename}:{line}")
        for frame, line in traceback.walk_tb(error.__traceback__)
        if frame.f_globals.get("__name__") != __name__
    ]
    inside = [place for module, place in places if f"{module}.".startswith(f"{package}.")]
    return inside[-1] if inside else None


class _Nonsense(Exception):  # noqa: N818
    """A hook returned something that is no iterable of specs of its kind."""


def _checked(results: list[Any], kind: Kind, hook: str) -> list[Spec]:
    expected = f"expected a list of Spec(kind={kind!r}, …)"
    returned = results[0] if results else None  # pluggy drops a None
    if isinstance(returned, str | bytes) or not isinstance(returned, Iterable):
        raise _Nonsense(f"{hook} returned {_short(returned)}, {expected}")
    specs = []
    for item in returned:  # one at a time, for nonsense need not end
        if not isinstance(item, Spec):
            raise _Nonsense(
                f"{hook} returned a {type(returned).__name__} with {_short(item)} in it, {expected}"
            )
        if item.kind != kind:
            raise _Nonsense(f"{hook} returned the {item.kind} {item.name!r}, {expected}")
        specs.append(item)
    return specs


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def _misspelt(manager: pluggy.PluginManager, plugin: object) -> str | None:
    """What to say of the hooks of a plugin that no hookspec declares."""
    known = sorted(name for name in vars(hookspecs) if name.startswith("mezz_"))
    parts = []
    for caller in manager.get_hookcallers(plugin) or ():
        if not caller.has_spec():
            near = difflib.get_close_matches(caller.name, known, n=1)
            did_you_mean = f"; did you mean {near[0]!r}?" if near else ""
            parts.append(f"there is no hook {caller.name!r}{did_you_mean}")
    return ", ".join(parts) or None


def _without_hooks(candidate: Candidate, plugin: object) -> str:
    unmarked = sorted(name for name in dir(plugin) if name.startswith("mezz_"))
    if unmarked:
        return f"{', '.join(unmarked)} in {candidate.entry.value} is not marked with @hookimpl"
    return f"{candidate.entry.value} implements no hook of Mezzanine"
