"""Reads the settings of one component from a source, as a run reads those of a slot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from mezzanine_core.config.fields import Index, settings_of
from mezzanine_core.config.sources import Layer, read_layer
from mezzanine_core.config.text import coerce
from mezzanine_core.testing.laws import require


def read_settings(model: type[BaseModel], layer: Layer, named: Mapping[str, str]) -> BaseModel:
    """The configuration that a source gives.

    Args:
        model: The component's configuration model.
        layer: The source.
        named: The setting that holds the component's name, if it has one.

    Raises:
        BrokenLawError: If a setting is not found again.
        ValidationError: If a value is refused.
    """
    return model.model_validate({**read_values(model, layer), **named})


def read_values(model: type[BaseModel], layer: Layer) -> dict[str, Any]:
    """The values that a source gives, nested as the model is, and not validated yet.

    Raises:
        BrokenLawError: If a setting is not found.
    """
    given, unknown, wrong = read_layer(layer, Index(settings_of(model), ()))
    lost = [*(key for key, _ in unknown), *map(str, wrong)]
    require(not lost, f"settings that are not found again: {', '.join(lost)}")
    data: dict[str, Any] = {}
    for item in given:
        level = data
        for name in item.setting.path[:-1]:
            level = level.setdefault(name, {})
        level[item.setting.path[-1]] = coerce(item.value, item.setting.shape, text=item.text)
    return data
