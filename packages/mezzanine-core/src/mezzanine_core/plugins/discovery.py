"""Finds the installed plugins and loads each isolated from the others.

Every entry point of the group ``mezzanine`` is loaded on its own. Whatever goes wrong with it (an
import that raises or exits, a hook that returns nonsense, another version of core that it needs) is
recorded with its cause, and the command goes on without it. Two environment variables say
otherwise: ``MEZZ_PLUGINS`` (a comma-separated list of distributions or plugin ids; empty for none)
leaves out all others, and ``MEZZ_STRICT=1`` makes the first plugin that is not fine an error.
"""

from __future__ import annotations

import importlib.metadata
import logging
import os
import threading
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from importlib.metadata import Distribution, EntryPoint

from packaging.utils import canonicalize_name

from mezzanine_core._version import __version__
from mezzanine_core.errors import PluginError
from mezzanine_core.plugins.components import PluginRecord
from mezzanine_core.plugins.loading import CORE, Candidate, PluginLoader, Rejected
from mezzanine_core.plugins.registry import Registry
from mezzanine_core.specs import Spec

GROUP = "mezzanine"
"""The entry-point group of plugins."""

PATIENCE_SECONDS = 2.0
"""A plugin that takes longer than this to load is named while one waits for it."""

_BUILTIN = EntryPoint("core", "mezzanine_core.builtin.plugin", GROUP)

log = logging.getLogger(__name__)


def load_registry(*, only: Collection[str] | None = None, strict: bool | None = None) -> Registry:
    """Load the installed plugins.

    Args:
        only: Distributions or plugin ids (``distribution:entry-point``) to load; all others but
            core are left out. By default what ``MEZZ_PLUGINS`` says, or all.
        strict: Whether the first plugin that is not fine is an error; by default what
            ``MEZZ_STRICT`` says, or no. A plugin that was left out is fine.

    Raises:
        PluginError: If ``strict`` holds and a plugin is broken, incompatible or a duplicate.
    """
    wanted = _plugins_from_environment() if only is None else {_normal(name) for name in only}
    left_out = Rejected("blocked", "it was not asked for", None)
    if only is None:
        left_out = Rejected("blocked", "MEZZ_PLUGINS leaves it out", "unset MEZZ_PLUGINS")
    strict = strict_by_default() if strict is None else strict
    loader = PluginLoader()
    records = []
    candidates = _candidates()
    for candidate in candidates:
        if wanted is None or _is_wanted(candidate, wanted):
            records.append(_load(candidate, loader))
        else:
            records.append(_record(candidate, left_out))
        if strict and records[-1].failed:
            raise PluginError(
                f"the plugin {candidate.id} is {records[-1].status}: {records[-1].cause}",
                hint=records[-1].remedy,
            )
    there = {name for found in candidates for name in (found.distribution, found.id)}
    return Registry(records, loader.manager, sorted((wanted or set()) - there))


def wanted_candidates() -> list[Candidate]:
    """Every plugin that ``MEZZ_PLUGINS`` does not leave out, core's own first; none is imported."""
    wanted = _plugins_from_environment()
    return [found for found in _candidates() if wanted is None or _is_wanted(found, wanted)]


def strict_by_default() -> bool:
    """Whether ``MEZZ_STRICT`` is set, and not to ``0``, ``false``, ``no`` or ``off``."""
    return os.environ.get("MEZZ_STRICT", "").strip().lower() not in ("", "0", "false", "no", "off")


def _load(candidate: Candidate, loader: PluginLoader) -> PluginRecord:
    specs: tuple[Spec, ...] = ()
    rejection = None
    start = time.perf_counter()
    try:
        with _named_while_slow(candidate):
            specs = loader.load(candidate)
    except Rejected as caught:
        rejection = caught
        log.debug("plugin %s is %s", candidate.id, caught.status, exc_info=caught)
    return _record(candidate, rejection, specs, time.perf_counter() - start)


@contextmanager
def _named_while_slow(candidate: Candidate) -> Iterator[None]:
    """Say which plugin keeps a command from starting, as it might do for ever."""
    timer = threading.Timer(
        PATIENCE_SECONDS,
        log.warning,
        (
            "still loading the plugin %s after %g s; `mezz doctor --timings` says what takes so "
            "long, and MEZZ_PLUGINS leaves plugins out",
            candidate.id,
            PATIENCE_SECONDS,
        ),
    )
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _record(
    candidate: Candidate,
    rejection: Rejected | None,
    specs: tuple[Spec, ...] = (),
    seconds: float = 0.0,
) -> PluginRecord:
    return PluginRecord(
        id=candidate.id,
        distribution=candidate.distribution,
        version=candidate.version,
        entry_point=candidate.entry.name,
        module=candidate.entry.value,
        status="ok" if rejection is None else rejection.status,
        cause=None if rejection is None else rejection.cause,
        remedy=None if rejection is None else rejection.remedy,
        specs=specs,
        seconds=seconds,
    )


def _is_wanted(candidate: Candidate, wanted: set[str]) -> bool:
    return (
        candidate.distribution == CORE or candidate.distribution in wanted or candidate.id in wanted
    )


def _plugins_from_environment() -> set[str] | None:
    value = os.environ.get("MEZZ_PLUGINS")
    if value is None:
        return None
    return {_normal(name) for name in value.split(",") if name.strip()}


def _normal(name: str) -> str:
    distribution, colon, entry_point = name.strip().partition(":")
    return f"{canonicalize_name(distribution)}{colon}{entry_point}"


def _candidates() -> list[Candidate]:
    """Every entry point of the group, core's own first, then by distribution and name."""
    candidates = [_candidate(entry) for entry in plugin_entry_points()]
    if not any(candidate.distribution == CORE for candidate in candidates):
        # Core runs from a source tree or an archive that was not installed.
        candidates.append(Candidate(_BUILTIN, CORE, __version__))
    return sorted(
        candidates,
        key=lambda found: (found.distribution != CORE, found.distribution, found.entry.name),
    )


def _candidate(entry: EntryPoint) -> Candidate:
    distribution: Distribution | None = entry.dist
    metadata = None if distribution is None else distribution.metadata
    if distribution is None or metadata is None or not metadata["Name"]:
        return Candidate(entry, "unknown", "unknown")
    return Candidate(
        entry,
        canonicalize_name(metadata["Name"]),
        metadata["Version"] or "unknown",
        tuple(distribution.requires or ()),
    )


def plugin_entry_points() -> Iterable[EntryPoint]:
    """The entry points of all plugins, as far as the metadata of distributions can be read."""
    try:
        return importlib.metadata.entry_points(group=GROUP)
    except (ValueError, TypeError, AttributeError, UnicodeError, OSError) as error:
        # One unreadable entry_points.txt, whosever, fails them all; read them one by one.
        log.debug("entry points cannot be read at once", exc_info=error)
        return _readable_entry_points()


def _readable_entry_points() -> Iterator[EntryPoint]:
    seen = set()
    for distribution in importlib.metadata.distributions():
        name = distribution.metadata["Name"]
        if name in seen:
            continue
        seen.add(name)
        try:
            yield from distribution.entry_points.select(group=GROUP)
        except (ValueError, TypeError, AttributeError, UnicodeError, OSError) as error:
            log.warning("the entry points of %s cannot be read: %s", name, error)
