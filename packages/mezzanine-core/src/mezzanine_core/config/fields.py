"""The settings of a command: every leaf of its models, and the spellings it may be given by."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from mezzanine_core.config.models import MezzModel, aliases
from mezzanine_core.config.text import Shape, shape_of
from mezzanine_core.errors import ConfigError, PluginError, UnknownNameError

Path = tuple[str, ...]
"""Where a setting stands: the field names on the way to it."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One value that can be set.

    Attributes:
        path: Where it stands, such as ``("world", "games")``.
        info: Its pydantic field.
        shape: How its value is written.
        default: What it is where nobody gives it; ``PydanticUndefined`` where it is required, or
            where its default depends on other values.
    """

    path: Path
    info: FieldInfo
    shape: Shape
    default: Any

    @property
    def dotted(self) -> str:
        """The full name, such as ``world.games``."""
        return ".".join(self.path)

    @property
    def aliases(self) -> tuple[Path, ...]:
        """Where it would stand by each of its further names."""
        return tuple((*self.path[:-1], name) for name in aliases(self.info))


def settings_of(
    model: type[BaseModel], prefix: Path = (), defaults: object = None
) -> Iterator[Setting]:
    """The leaves of a model, in the order of their declaration, those of nested models included.

    Args:
        model: A configuration model.
        prefix: Where it is nested.
        defaults: The instance that its parent has by default: its values go before the model's own.

    Raises:
        PluginError: If a nested model is not a :class:`MezzModel`, and so would take unknown keys.
    """
    for name, info in model.model_fields.items():
        path = (*prefix, name)
        annotation = info.annotation
        default = getattr(defaults, name, None) if defaults is not None else _default_of(info)
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            if not issubclass(annotation, MezzModel):
                raise PluginError(
                    f"the setting {'.'.join(path)!r} is a {annotation.__name__}, which does not "
                    "derive from mezzanine_core.config.MezzModel",
                    hint="Report this to the author of the plugin.",
                )
            nested = default if isinstance(default, annotation) else None
            yield from settings_of(annotation, path, nested)
        else:
            yield Setting(path, info, shape_of(annotation, info.metadata), default)


def _default_of(info: FieldInfo) -> Any:
    if getattr(info, "default_factory_takes_validated_data", False):
        return PydanticUndefined
    return info.get_default(call_default_factory=True)


def normalise(key: str) -> str:
    """A key as it is compared: dashes are underscores."""
    return key.strip().replace("-", "_")


class Index:
    """Finds settings by the ways they may be spelled.

    The full dotted name always works. The last part of it works where one setting alone has it; a
    setting at the top level wins over nested ones. An alias does what the name itself does.

    Args:
        settings: All settings of the command.
        slots: Names of the fields that hold components: the bare name stands for ``<slot>.name``.
        reserved: Names that a nested setting cannot go by: they mean something else.
        joined: Names below which settings stand that go by both names with an underscore
            (``wandb_project``), and never by the last one alone. ``name`` is none of them: what
            they belong to is chosen elsewhere.

    Raises:
        PluginError: If an alias is the name, or an alias, of another setting beside it.
    """

    def __init__(
        self,
        settings: Iterable[Setting],
        slots: Iterable[str],
        reserved: Iterable[str] = (),
        joined: Iterable[str] = (),
    ) -> None:
        self._joined = frozenset(joined)
        self.settings: Mapping[Path, Setting] = {
            setting.path: setting
            for setting in settings
            if not (setting.path[0] in self._joined and setting.path[1:] == ("name",))
        }
        self.slots = frozenset(slots)
        self._groups = {path[:end] for path in self.settings for end in range(1, len(path))}
        self._by_path = dict(self.settings)
        for setting in self.settings.values():
            for path in (*setting.aliases, *self._joined_path(setting)):
                self._add_alias(path, setting)
        self._by_last: dict[str, list[Setting]] = {}
        taken = frozenset(reserved)
        for path, setting in self._by_path.items():
            if not (self.is_name(path) or path[-1] in taken or path[0] in self._joined):
                self._by_last.setdefault(path[-1], []).append(setting)

    def _joined_path(self, setting: Setting) -> list[Path]:
        return [("_".join(setting.path),)] if setting.path[0] in self._joined else []

    def _add_alias(self, path: Path, setting: Setting) -> None:
        if path in self._by_path or path in self._groups:
            raise PluginError(
                f"the setting {setting.dotted!r} has the alias {path[-1]!r}, which names another "
                "setting beside it",
                hint="Report this to the author of the plugin.",
            )
        self._by_path[path] = setting

    def is_name(self, path: Path) -> bool:
        """Whether a path holds the name of a component."""
        return len(path) == 2 and path[0] in self.slots and path[1] == "name"

    def is_group(self, dotted: str) -> bool:
        """Whether settings stand below this name."""
        return tuple(dotted.split(".")) in self._groups

    def knows(self, key: str) -> bool:
        """Whether :meth:`find` would find a setting."""
        try:
            self.find(key)
        except ConfigError:
            return False
        return True

    def find(self, key: str) -> Setting:
        """The setting that a key names.

        Args:
            key: Full or last name, or alias, with underscores or dashes.

        Raises:
            UnknownNameError: If there is none; the hint says what comes near.
            ConfigError: If several nested settings share the name, or settings stand below it.
        """
        key = normalise(key)
        path = tuple(key.split("."))
        if key in self.slots:
            path = (key, "name")
        if path in self._by_path:
            return self._by_path[path]
        if path in self._groups:
            raise ConfigError(f"{key!r} holds several settings; give each as `{key}.<setting>`")
        candidates = self._by_last.get(key, [])
        if len(candidates) == 1:
            return candidates[0]
        if candidates:
            names = " or ".join(repr(setting.dotted) for setting in candidates)
            raise ConfigError(f"{key!r} is ambiguous", hint=f"Say which one: {names}.")
        raise UnknownNameError(f"unknown setting {key!r}")

    def spellings(self, setting: Setting) -> tuple[str, ...]:
        """The names that find a setting, its own before its aliases, with underscores."""
        if self.is_name(setting.path):
            return (setting.path[0], setting.dotted)
        names = [path[0] for path in self._joined_path(setting)]
        for path in (setting.path, *setting.aliases):
            last = path[-1]
            if len(path) > 1 and self.knows(last) and self.find(last) is setting:
                names.append(last)
            names.append(".".join(path))
        return tuple(names)

    def near(self, key: str, cutoff: float = 0.6) -> list[str]:
        """Spellings that come near to a key that is unknown, the nearest first, three at most."""
        group, _, last = normalise(key).rpartition(".")
        if group and self.is_group(group):
            path = tuple(group.split("."))
            names = [below[-1] for below in self._by_path if below[:-1] == path]
            near = difflib.get_close_matches(last, names, n=3, cutoff=cutoff)
            return [f"{group}.{name}" for name in near]
        names = [name for setting in self.settings.values() for name in self.spellings(setting)]
        return difflib.get_close_matches(normalise(key), names, n=3, cutoff=cutoff)
