"""What is tested: an installed component with settings, and what the laws share of it."""

from __future__ import annotations

import copy
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from mezzanine_core.builtin.local import LocalConfig, LocalExecutor
from mezzanine_core.config import load_config_file
from mezzanine_core.config.sources import file_layer, flag_layer
from mezzanine_core.errors import ConfigError, MezzError, PluginError
from mezzanine_core.plugins import Component, PluginRecord, Registry, load_registry
from mezzanine_core.runs.instances import construct
from mezzanine_core.specs import Kind
from mezzanine_core.testing.elsewhere import Request, ask_elsewhere
from mezzanine_core.testing.items import batch_of, things
from mezzanine_core.testing.laws import BrokenLawError, NotApplicableError
from mezzanine_core.testing.reading import read_settings
from mezzanine_core.testing.variations import Varied, varied
from mezzanine_core.worlds import ItemKind

ITEM_KINDS: tuple[ItemKind, ...] = get_args(ItemKind)
"""The kinds of item that encoders take."""

_ITEMS = 7
"""Items in a batch that encoders are tried on: odd, so that its halves differ in size."""


@dataclass(frozen=True)
class Subject:
    """A component as it is tested.

    Attributes:
        name: Its short name, or ``name@distribution``; it is found through its entry point.
        settings: Settings of its configuration; of a recipe, by full or last name, as its flags
            have them.
        items: What symmetries act on (several, one of them with a small orbit), or the batch that
            encoders encode (4 items at least); by default the suite makes them.
        variations: Setting → another valid value, for those where the model does not show one.
        unused: Settings that change nothing here, or cannot be tried: nothing is said about them.
        tolerance: How much latents of the same item may differ, relative to the largest value.
    """

    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    items: Sequence[Any] | None = None
    variations: Mapping[str, Any] = field(default_factory=dict)
    unused: Collection[str] = ()
    tolerance: float = 1e-5


class Case:
    """A subject that was found among the installed plugins.

    Laws share it: what is expensive is made once.

    Args:
        kind: What the subject is.
        subject: What is tested.
        folder: An empty folder for what laws write.
        registry: The installed plugins; loaded by default.
        lenient: Whether a law is content with what can be tried, and says what cannot, where a
            suite would ask the author for more.

    Attributes:
        kind: As given.
        subject: As given.
        folder: As given.
        registry: The installed plugins.
        lenient: As given.
        component: The component.
        model: Its configuration model.
        shared: What a law has found out and others need.

    Raises:
        MezzError: If there is no such component, or its plugin is broken.
    """

    def __init__(
        self,
        kind: Kind,
        subject: Subject,
        folder: Path,
        registry: Registry | None = None,
        *,
        lenient: bool = False,
    ) -> None:
        self.kind = kind
        self.subject = subject
        self.folder = folder
        self.registry = load_registry() if registry is None else registry
        self.lenient = lenient
        self.component: Component = self.registry.get(kind, subject.name)
        self.model: type[BaseModel] = _checked_model(self.component)
        self.shared: dict[str, Any] = {}

    @property
    def record(self) -> PluginRecord:
        """The plugin that announces the component."""
        return next(
            record
            for record in self.registry.plugins
            if record.distribution == self.component.distribution
            and self.component.spec in record.specs
        )

    @cached_property
    def config(self) -> Any:
        """The configuration that the settings give.

        Raises:
            ConfigError: If they are wrong.
            NotApplicableError: If settings are missing and the case is lenient.
        """
        given = {**copy.deepcopy(dict(self.component.spec.defaults)), **self.subject.settings}
        try:
            return self.model.model_validate({**given, **self._own_name()})
        except ValidationError as error:
            what = f"the {self.kind} {self.subject.name} does not take {_first(error)}"
            if self.lenient and not self.subject.settings:
                raise NotApplicableError(f"{what}; give it by --set") from error
            hint = "Give what it needs in the settings of the Subject."
            raise ConfigError(what, hint=hint) from error

    def read_file(self, path: Path) -> Any:
        """The configuration that a file gives, read as ``mezz run`` reads the component's part."""
        return read_settings(self.model, file_layer(load_config_file(path)), self._own_name())

    def read_flags(self, flags: Mapping[str, str]) -> Any:
        """The configuration that flags give, read as ``mezz run`` reads the component's part."""
        return read_settings(self.model, flag_layer(flags), self._own_name())

    def _own_name(self) -> dict[str, str]:
        return self.named(self.component.spec.name)

    def named(self, name: str) -> dict[str, str]:
        """The setting that says how the component is called, where it has one."""
        return {"name": name} if "name" in self.model.model_fields else {}

    def make(self, config: Any = None) -> Any:
        """A new instance, with the case's own configuration or another.

        Raises:
            MezzError: If it cannot be constructed.
        """
        return construct(self.component, self.config if config is None else config)

    @cached_property
    def instance(self) -> Any:
        """An instance that laws share."""
        return self.make()

    @property
    def items(self) -> Any:
        """What encoders encode and symmetries act on, a copy each time; ``None`` for others."""
        return copy.deepcopy(self._items)

    @cached_property
    def _items(self) -> Any:
        if self.subject.items is not None:
            return self.subject.items
        if self.kind == "encoder":
            kinds = [kind for kind in ITEM_KINDS if kind in self.instance.accepts]
            return batch_of(kinds[0], _ITEMS) if kinds else []
        return self._acted_on() if self.kind == "symmetry" else None

    def _acted_on(self) -> list[Any]:
        found = []
        for thing in things():
            try:
                self.instance.views(thing, 3, 0)
            except Exception:  # noqa: BLE001 - whether it says so properly, a law of its own asks
                continue
            found.append(thing)
        if not found:
            raise NotApplicableError("it is not known what it acts on; give `items` of the Subject")
        return found

    @cached_property
    def varied(self) -> Varied:
        """The configuration with one setting changed at a time."""
        return varied(self.config, self.subject.variations, self.subject.unused)

    @cached_property
    def executor(self) -> LocalExecutor:
        """Computes in this thread."""
        return LocalExecutor(LocalConfig(workers=1))

    @cached_property
    def elsewhere(self) -> Mapping[str, Any]:
        """What another process, which hashes otherwise, says of the same subject.

        Raises:
            BrokenLawError: If it fails there.
        """
        return ask_elsewhere(
            Request(
                kind=self.kind,
                name=self.component.qualified,
                config=self.config.model_dump(mode="json"),
                items=self.items,
            )
        )

    def untried(self) -> str | None:
        """A remark on the settings for which no other value is known.

        Raises:
            BrokenLawError: If there are some, and the case is not lenient.
        """
        missing = self.varied.missing
        if not missing:
            return None
        names = ", ".join(missing)
        if self.lenient:
            return f"not tried, since no other value is known: {names}"
        raise BrokenLawError(
            f"no other valid value is known of: {names}",
            hint="Give one of each in `variations` of the Subject, or name those that change "
            "nothing under these settings in `unused`.",
        )


def _checked_model(component: Component) -> type[BaseModel]:
    model = component.load_config()
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        raise PluginError(
            f"the configuration {component.spec.config!r} of the {component} is no pydantic model",
            hint="Derive it from the base class in mezzanine_core.config for its kind.",
        )
    return model


def _first(error: ValidationError) -> str:
    first = error.errors()[0]
    where = ".".join(map(str, first["loc"])) or "these settings"
    return f"{where}: {first['msg']}"


def instance_of(case: Case, config: Any, path: str) -> Any:
    """An instance with one setting changed.

    Raises:
        BrokenLawError: If it cannot be constructed so.
    """
    try:
        return case.make(config)
    except MezzError as error:
        raise cannot_have(config, path, error) from error


def cannot_have(config: Any, path: str, error: MezzError) -> BrokenLawError:
    """What is said where a value that the model permits is refused later."""
    value: Any = config
    for name in path.split("."):
        value = getattr(value, name)
    return BrokenLawError(
        f"the model permits {path}={value!r}, but: {error.message}",
        hint="Let the configuration model refuse it; or, where the value only does not suit what "
        f"is tested, give another in `variations` of the Subject: {{{path!r}: …}}.",
    )
