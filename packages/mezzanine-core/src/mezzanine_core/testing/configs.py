"""Laws of configuration models, and of how their settings are written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic.errors import PydanticInvalidForJsonSchema

from mezzanine_core.config import (
    ComponentConfig,
    EncoderConfig,
    MezzModel,
    RecipeConfig,
    SymmetryConfig,
    WorldConfig,
)
from mezzanine_core.config.fields import settings_of
from mezzanine_core.config.text import format_value
from mezzanine_core.fingerprint import canonical_json
from mezzanine_core.specs import Kind
from mezzanine_core.testing.laws import BrokenLawError, Law, law, require
from mezzanine_core.testing.subject import Case

_BASES: Mapping[Kind, type[MezzModel]] = {
    "world": WorldConfig,
    "symmetry": SymmetryConfig,
    "encoder": EncoderConfig,
    "recipe": RecipeConfig,
    "tracker": ComponentConfig,
    "executor": ComponentConfig,
}
_UNHEARD_OF = "no_component_has_this"


@law("Derive the configuration from the base class in mezzanine_core.config for its kind.")
def the_configuration_derives_from_the_base_of_its_kind(case: Case) -> None:
    """The configuration model derives from the base class of its kind."""
    base = _BASES[case.kind]
    require(issubclass(case.model, base), f"{case.model.__name__} is no {base.__name__}")


@law("Do not override model_config['extra']: a misspelt setting must not pass unnoticed.")
def an_unknown_setting_is_refused(case: Case) -> None:
    """A setting that the model does not have is refused."""
    try:
        type(case.config).model_validate({**case.config.model_dump(), _UNHEARD_OF: 1})
    except ValidationError:
        return
    raise BrokenLawError(f"the setting {_UNHEARD_OF} is taken without a word")


@law("Do not override model_config['frozen'].")
def a_configuration_cannot_be_changed(case: Case) -> None:
    """No setting of a configuration can be assigned to."""
    for name in type(case.config).model_fields:
        try:
            setattr(case.config, name, getattr(case.config, name))
        except ValidationError:
            continue
        raise BrokenLawError(f"the setting {name} can be assigned to")


@law("Give each field a Field(…, description=…): it is what help and reference show.")
def every_setting_is_described(case: Case) -> None:
    """Every setting has a description."""
    nameless = [each.dotted for each in settings_of(case.model) if not each.info.description]
    require(not nameless, f"settings without a description: {', '.join(nameless)}")


@law("Use types that JSON knows, or annotate a schema.")
def the_configuration_has_a_json_schema(case: Case) -> None:
    """The model has a JSON schema, and the fingerprinted settings are plain values."""
    try:
        case.model.model_json_schema()
    except PydanticInvalidForJsonSchema as error:
        raise BrokenLawError(f"the model has no JSON schema: {error}") from error
    canonical_json(case.config.fingerprint_payload())


@law("Let validators take what model_dump(mode='json') gives: normalised values, lists for tuples.")
def settings_survive_a_yaml_file(case: Case) -> None:
    """Settings that are written to a YAML file and read again are the same."""
    path = case.folder / "settings.yml"
    values = case.config.model_dump(mode="json")
    text = yaml.safe_dump(values, allow_unicode=True, sort_keys=False)
    path.write_text(text, encoding="utf-8")
    _require_same(case, case.read_file(path), "a YAML file")


@law("Let validators take the text of a flag, as lists with commas, say; see config.text.")
def settings_survive_the_command_line(case: Case) -> None:
    """Settings that are written as flags and read again are the same."""
    values = case.config.model_dump(mode="json")
    flags = {}
    for setting in settings_of(type(case.config)):
        value: Any = values
        for name in setting.path:
            value = value[name]
        if setting.path != ("name",):
            flags[setting.dotted] = format_value(value)
    _require_same(case, case.read_flags(flags), "flags")


def _require_same(case: Case, found: Any, where: str) -> None:
    before, after = case.config.model_dump(), found.model_dump()
    changed = [
        f"{name} ({before[name]!r} → {after.get(name)!r})"
        for name in before
        if before[name] != after.get(name)
    ]
    require(not changed, f"{where} changes {', '.join(changed)}")


LAWS: tuple[Law, ...] = (
    the_configuration_derives_from_the_base_of_its_kind,
    an_unknown_setting_is_refused,
    a_configuration_cannot_be_changed,
    every_setting_is_described,
    the_configuration_has_a_json_schema,
    settings_survive_a_yaml_file,
    settings_survive_the_command_line,
)
