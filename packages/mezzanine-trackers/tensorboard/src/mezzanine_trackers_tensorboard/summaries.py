"""Summaries as TensorBoard reads them, made without TensorFlow."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import Any

from PIL import Image
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.hparams import api_pb2, plugin_data_pb2
from tensorboard.plugins.hparams import metadata as hparams_metadata
from tensorboard.plugins.hparams.summary_v2 import hparams_pb
from tensorboard.plugins.text import metadata as text_metadata
from tensorboard.util import tensor_util

from mezzanine_core.results import plain_json

_CHANNELS = {"L": 1, "1": 1, "LA": 2, "RGB": 3, "P": 3, "RGBA": 4}


def scalars(values: Mapping[str, float]) -> Summary:
    """A number for each name."""
    return Summary(
        value=[Summary.Value(tag=name, simple_value=float(value)) for name, value in values.items()]
    )


def text(tag: str, words: str) -> Summary:
    """Text, which TensorBoard shows as Markdown."""
    metadata = text_metadata.create_summary_metadata(display_name=tag, description="")
    tensor = tensor_util.make_tensor_proto([words.encode()])
    return Summary(value=[Summary.Value(tag=tag, metadata=metadata, tensor=tensor)])


def picture(tag: str, encoded: bytes) -> Summary:
    """A picture, given as the bytes of its PNG, JPEG or GIF file.

    Raises:
        OSError: If it is no picture.
    """
    with Image.open(BytesIO(encoded)) as image:
        width, height = image.size
        channels = _CHANNELS.get(image.mode, 3)
    shown = Summary.Image(
        width=width, height=height, colorspace=channels, encoded_image_string=encoded
    )
    return Summary(value=[Summary.Value(tag=tag, image=shown)])


def settings(config: Mapping[str, Any]) -> Summary:
    """The settings of a run for the tab that compares runs, flat and by dotted names."""
    flat: Summary = hparams_pb(dict(_flat(config, "")))
    return flat


def end(succeeded: bool) -> Summary:
    """That a run has ended, and how."""
    info = plugin_data_pb2.SessionEndInfo(
        status=api_pb2.STATUS_SUCCESS if succeeded else api_pb2.STATUS_FAILURE,
        end_time_secs=time.time(),
    )
    metadata = hparams_metadata.create_summary_metadata(
        plugin_data_pb2.HParamsPluginData(session_end_info=info)
    )
    tag = hparams_metadata.SESSION_END_INFO_TAG
    return Summary(
        value=[Summary.Value(tag=tag, metadata=metadata, tensor=hparams_metadata.NULL_TENSOR)]
    )


def indented(document: Any) -> str:
    """A document as a block of code in Markdown."""
    lines = json.dumps(plain_json(document), indent=2, ensure_ascii=False).splitlines()
    return "\n".join(f"    {line}" for line in lines)


def _flat(config: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, bool | float | str]]:
    for name, value in config.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        elif isinstance(value, bool | int | float | str):
            yield f"{prefix}{name}", value
        else:
            yield f"{prefix}{name}", json.dumps(plain_json(value))
