"""Where values come from: presets, files, the environment and flags, as layers of one form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from mezzanine_core.config.fields import Index, Setting, normalise
from mezzanine_core.config.files import ConfigFile, Located, locate, plain
from mezzanine_core.errors import ConfigError, MezzError, UnknownNameError

LayerKind = Literal["preset", "recorded", "file", "environment", "flag"]

ENVIRONMENT_PREFIX = "MEZZ_"
RESERVED_VARIABLES = frozenset(
    f"{ENVIRONMENT_PREFIX}{name}" for name in ("PLUGINS", "STRICT", "TEST_DATA", "DEBUG")
)
"""Variables that mean something else than a setting."""


@dataclass(frozen=True, slots=True)
class Layer:
    """The values of one source.

    Attributes:
        kind: What kind of source it is.
        name: The preset's name, the path of the file, or the document that settings are recorded
            in; empty for others.
        values: The values by key. Keys may be nested mappings or dotted names.
    """

    kind: LayerKind
    name: str
    values: Mapping[str, Located]

    def origin(self, key: str, line: int | None) -> str:
        """Where a value came from, as it is recorded in the results."""
        match self.kind:
            case "preset":
                return f"preset {self.name}"
            case "recorded":
                return f"recorded in {self.name}"
            case "file":
                return f"{self.name}:{line}"
            case "environment":
                return f"environment {variable(key)}"
            case "flag":
                return f"flag {flag(key)}"

    def label(self, key: str, line: int | None) -> str:
        """How an error message names a value."""
        match self.kind:
            case "preset":
                return f"preset {self.name}: {key}"
            case "recorded":
                return f"{self.name}: {key}"
            case "file":
                return f"{self.name}:{line}: {key}"
            case "environment":
                return variable(key)
            case "flag":
                return flag(key)

    def component(self, slot: str) -> tuple[str, Located] | None:
        """The key and value that name the component of a slot in this layer, if it names one."""
        for key, located in self.of_slot(slot):
            if key in ("", "name") and located.value is not None:
                return f"{slot}.{key}".rstrip("."), located
        return None

    def of_slot(self, slot: str) -> Iterator[tuple[str, Located]]:
        """What this layer says of a slot: keys below it, and the empty key for its bare name."""
        for key, located in self.values.items():
            name, _, below = normalise(key).partition(".")
            if name != slot:
                continue
            if not below and isinstance(located.value, dict):
                yield from ((normalise(inner), item) for inner, item in located.value.items())
            else:
                yield below, located


@dataclass(frozen=True, slots=True)
class Given:
    """A value that a source gives to a setting.

    Attributes:
        setting: What is set.
        value: The raw value.
        origin: Where it came from.
        label: How an error message names it.
        text: Whether strings are text as typed, to be read by the setting's shape.
    """

    setting: Setting
    value: Any
    origin: str
    label: str
    text: bool


def variable(key: str) -> str:
    """The environment variable of a setting: ``world.games`` → ``MEZZ_WORLD__GAMES``."""
    return ENVIRONMENT_PREFIX + key.replace(".", "__").upper()


def flag(key: str) -> str:
    """The flag of a setting: ``world.n_train`` → ``--world.n-train``."""
    return "--" + key.replace("_", "-")


def preset_layer(name: str, defaults: Mapping[str, Any]) -> Layer:
    """The layer of a Spec's ``defaults``."""
    return Layer("preset", name, {key: locate(value) for key, value in defaults.items()})


def file_layer(file: ConfigFile) -> Layer:
    """The layer of a configuration file."""
    return Layer("file", str(file.path), file.values)


OF_OTHER_VERSIONS = (
    "The run was made by other versions of the plugins: its results.json lists them, as `versions`."
)
"""What to do about a recorded setting that is none any more, or is not permitted any more."""


def recorded_layer(values: Mapping[str, Any]) -> Layer:
    """The layer of the settings that an earlier run has recorded, complete."""
    document = "results.json"
    return Layer("recorded", document, {key: locate(value) for key, value in values.items()})


def environment_layer(environ: Mapping[str, str]) -> Layer:
    """The layer of the environment: every ``MEZZ_*`` that is not reserved and not empty."""
    return Layer(
        "environment",
        "",
        {
            name.removeprefix(ENVIRONMENT_PREFIX).lower().replace("__", "."): Located(text)
            for name, text in environ.items()
            if name.startswith(ENVIRONMENT_PREFIX) and name not in RESERVED_VARIABLES and text
        },
    )


def flag_layer(flags: Mapping[str, Any]) -> Layer:
    """The layer of the flags: names with or without dots, dashes and underscores alike."""
    return Layer("flag", "", {normalise(key): locate(value) for key, value in flags.items()})


def read_layer(
    layer: Layer, index: Index
) -> tuple[list[Given], list[tuple[str, str]], list[MezzError]]:
    """Assign a layer's values to settings.

    Returns:
        What the layer gives, in its order; the keys that name no setting, each with the label by
        which errors name it; and what else is wrong with its keys.
    """
    given: dict[tuple[str, ...], Given] = {}
    unknown: list[tuple[str, str]] = []
    problems: list[MezzError] = []
    for key, located in _leaves(layer.values, "", index):
        label = layer.label(key, located.line)
        try:
            setting = index.find(key)
            if setting.path in given:
                first = given[setting.path].label
                raise ConfigError(f"{setting.dotted!r} is given twice, first by {first}")
        except UnknownNameError:
            unknown.append((key, label))
        except ConfigError as error:
            problems.append(ConfigError(f"{label}: {error.message}", hint=error.hint))
        else:
            given[setting.path] = Given(
                setting,
                plain(located),
                layer.origin(key, located.line),
                label,
                text=layer.kind in ("environment", "flag"),
            )
    return list(given.values()), unknown, problems


def _leaves(
    values: Mapping[str, Located], prefix: str, index: Index
) -> Iterator[tuple[str, Located]]:
    for key, located in values.items():
        dotted = prefix + normalise(key)
        if index.is_group(dotted) and isinstance(located.value, dict):
            yield from _leaves(located.value, f"{dotted}.", index)
        elif not (index.is_group(dotted) and located.value is None):
            yield dotted, located
