"""The registry: what the installed plugins bring, and how a component is found by its name."""

from __future__ import annotations

import difflib
import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from mezzanine_core.errors import (
    ConfigError,
    MissingDependencyError,
    PluginError,
    UnknownNameError,
)
from mezzanine_core.plugins.catalog import KNOWN, KnownComponent, known_component
from mezzanine_core.plugins.components import PLURALS, Component, PluginRecord
from mezzanine_core.specs import KINDS, Kind

if TYPE_CHECKING:
    import pluggy

log = logging.getLogger(__name__)


class Registry:
    """The installed plugins and their components.

    Args:
        plugins: What became of every plugin that was found.
        manager: The plugin manager that the plugins which are ``ok`` are registered on.
        unmatched: Names that ``MEZZ_PLUGINS`` asked for and that no plugin has.

    Attributes:
        plugins: What became of every plugin that was found, core first, then by distribution.
        unmatched: As given.
    """

    def __init__(
        self,
        plugins: Iterable[PluginRecord],
        manager: pluggy.PluginManager,
        unmatched: Collection[str] = (),
    ) -> None:
        self.plugins = tuple(plugins)
        self.unmatched = tuple(unmatched)
        self._manager = manager
        self._components = sorted(
            (
                Component(spec, record.distribution, record.version)
                for record in self.plugins
                for spec in record.specs
            ),
            key=lambda found: (KINDS.index(found.spec.kind), found.spec.name, found.distribution),
        )

    def components(self, kind: Kind | None = None) -> list[Component]:
        """The components of one kind, or of all, sorted by kind, name and distribution.

        A short name that two distributions announce is there twice.
        """
        return [found for found in self._components if kind in (None, found.spec.kind)]

    def is_ambiguous(self, component: Component) -> bool:
        """Whether another distribution announces the same short name of the same kind."""
        named = [
            found
            for found in self.components(component.spec.kind)
            if found.spec.name == component.spec.name
        ]
        return len(named) > 1

    def get(self, kind: Kind, name: str) -> Component:
        """Find a component.

        Args:
            kind: What it is.
            name: Its short name, or ``name@distribution`` where two distributions announce it.
                Dashes count as underscores.

        Raises:
            UnknownNameError: If there is none of that name; the hint says what comes near.
            ConfigError: If two distributions announce the name and it does not say which.
            MissingDependencyError: If it is known but not installed; the hint installs it.
            PluginError: If the plugin that brings it is broken, incompatible, or left out.
        """
        short, _, distribution = name.partition("@")
        short = short.replace("-", "_")
        named = [found for found in self.components(kind) if found.spec.name == short]
        home: str | None
        if distribution:
            home = canonicalize_name(distribution)
            matching = [found for found in named if found.distribution == home]
        else:
            known = known_component(kind, short)
            home = known.distribution if known else None
            matching = named
        if len(matching) == 1:
            return matching[0]
        if matching:
            choices = " or ".join(f"`{found.qualified}`" for found in matching)
            raise ConfigError(
                f"the {kind} {short!r} is announced by "
                f"{' and by '.join(found.distribution for found in matching)}",
                hint=f"Say which one: {choices}.",
            )
        if home is not None:
            self._check_home(kind, short, home)
        raise self._unknown(kind, short, distribution, named)

    def find(self, name: str) -> Component:
        """Find a component of whatever kind by its short name, or ``name@distribution``.

        Raises:
            UnknownNameError: If there is none of that name.
            ConfigError: If components of several kinds, or of several distributions, have it.
            MissingDependencyError: As :meth:`get`.
            PluginError: As :meth:`get`.
        """
        short = name.partition("@")[0].replace("-", "_")
        named = [(found.spec.kind, found.spec.name) for found in self._components]
        named += [(known.kind, known.name) for known in KNOWN]
        kinds = sorted({kind for kind, other in named if other == short}, key=KINDS.index)
        if len(kinds) == 1:
            return self.get(kinds[0], name)
        if kinds:
            raise ConfigError(
                f"{short!r} is the name of {' and of '.join(map(_with_article, kinds))}",
                hint=f"Say which one: {' or '.join(f'`--kind {kind}`' for kind in kinds)}.",
            )
        near = difflib.get_close_matches(short.lower(), sorted({other for _, other in named}))
        did_you_mean = f"Did you mean {' or '.join(map(repr, near))}? " if near else ""
        raise UnknownNameError(
            f"there is no component {short!r}",
            hint=f"{did_you_mean}`mezz list` shows all.{self._failures()}",
        )

    def _failures(self) -> str:
        """What is said beside an unknown name while some plugins could not be loaded."""
        if not any(record.failed for record in self.plugins):
            return ""
        return " Some plugins could not be loaded: see `mezz plugins`."

    def _check_home(self, kind: Kind, name: str, home: str) -> None:
        """Raise if the distribution that should bring a component explains why it does not."""
        records = [record for record in self.plugins if record.distribution == home]
        for record in records:
            if record.status != "ok":
                raise PluginError(
                    f"the {kind} {name!r} comes with {home}, whose plugin {record.id} is "
                    f"{record.status}: {record.cause}",
                    hint=record.remedy,
                )
        known = known_component(kind, name)
        if known is None or known.distribution != home:
            return
        if not records:
            raise MissingDependencyError(
                f"the {kind} {name!r} is not installed; it comes with {home}",
                hint=f"pip install {home}",
            )
        raise MissingDependencyError(
            f"the {kind} {name!r} comes with {home}, but not with the installed version "
            f"{records[0].version}",
            hint=f"pip install --upgrade {home}",
        )

    def _unknown(
        self, kind: Kind, name: str, distribution: str, named: list[Component]
    ) -> UnknownNameError:
        listing = f"`mezz list {PLURALS[kind]}` shows all."
        if named:
            choices = ", ".join(f"`{found.qualified}`" for found in named)
            return UnknownNameError(
                f"{distribution} brings no {kind} {name!r}", hint=f"There is {choices}. {listing}"
            )
        hints = []
        names = {found.spec.name for found in self.components(kind)}
        names.update(known.name for known in KNOWN if known.kind == kind)
        if near := difflib.get_close_matches(name.lower(), sorted(names)):
            hints.append(f"Did you mean {' or '.join(map(repr, near))}?")
        elif others := {found.spec.kind for found in self._components if found.spec.name == name}:
            hints.append(
                f"{name!r} is the name of {' and '.join(map(_with_article, sorted(others)))}."
            )
            if holding := [other for other in sorted(names) if name in other.split("_")]:
                hints.append(f"Did you mean {' or '.join(map(repr, holding[:3]))}?")
        hints.append(listing + self._failures())
        where = f" of {distribution}" if distribution else ""
        return UnknownNameError(f"there is no {kind} {name!r}{where}", hint=" ".join(hints))

    def not_installed(self) -> list[KnownComponent]:
        """The known first-party components whose distributions are not installed."""
        there = {record.distribution for record in self.plugins}
        return [known for known in KNOWN if known.distribution not in there]

    def run_started(self, recipe: str, out: Path, config: Mapping[str, Any]) -> None:
        """Tell every plugin that a run starts; one that fails is logged and passed over."""
        self._notify("mezz_run_started", recipe=recipe, out=out, config=config)

    def run_finished(
        self,
        recipe: str,
        out: Path,
        results: Mapping[str, Any] | None,
        error: BaseException | None,
    ) -> None:
        """Tell every plugin how a run ended; one that fails is logged and passed over."""
        self._notify("mezz_run_finished", recipe=recipe, out=out, results=results, error=error)

    def _notify(self, hook: str, **arguments: Any) -> None:
        for identity, plugin in self._manager.list_name_plugin():
            if plugin is None:
                continue
            try:
                plugin_hook(self._manager, hook, plugin)(**arguments)
            except (Exception, SystemExit) as error:
                kind = type(error).__name__
                log.warning("plugin %s: %s failed: %s: %s", identity, hook, kind, error)
                log.debug("plugin %s: %s", identity, hook, exc_info=error)


def _with_article(kind: Kind) -> str:
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"


def plugin_hook(
    manager: pluggy.PluginManager, hook: str, plugin: object
) -> Callable[..., list[Any]]:
    """The hook of that name, calling the implementation of one plugin only."""
    others = [other for other in manager.get_plugins() if other is not plugin]
    return manager.subset_hook_caller(hook, others)
