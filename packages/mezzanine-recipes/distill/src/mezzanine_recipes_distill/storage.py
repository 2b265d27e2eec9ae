"""Models on disk: tensors in a safetensors file with a JSON card beside it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from mezzanine_core.config import MezzModel
from mezzanine_core.errors import DataError
from mezzanine_recipes_distill.artifacts import writing

C = TypeVar("C", bound=MezzModel)

_RESTORE = "Copy the card and the tensors of one run together, or run it again."


def write_tensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write tensors, from whatever device, as a safetensors file.

    Raises:
        OutputDirectoryError: If it cannot be written.
    """
    # Copies, since safetensors refuses tensors that share memory.
    own = {name: value.detach().cpu().clone().contiguous() for name, value in tensors.items()}
    # Not by `save_file`, which makes files that nobody but their owner can read.
    _write(path, save(own, metadata={"format": "pt"}))


def write_card(path: Path, card: MezzModel) -> None:
    """Write a card as JSON.

    Raises:
        OutputDirectoryError: If it cannot be written.
    """
    _write(path, f"{card.model_dump_json(indent=2)}\n".encode())


def read_card(path: Path, model: type[C]) -> C:
    """Read a card that :func:`write_card` wrote.

    Raises:
        DataError: If there is none, or it is not one of this model.
    """
    try:
        return model.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise DataError(
            f"there is no {path.name} in {path.parent}",
            hint="Name the directory of a finished run.",
        ) from None
    except OSError as error:
        raise DataError(
            f"{path} cannot be read: {error.strerror or error}",
            hint="Name the directory of a finished run whose files you may read.",
        ) from error
    except (UnicodeDecodeError, json.JSONDecodeError, ValidationError) as error:
        raise DataError(
            f"{path} is no model card that this version can read: {error}", hint=_RESTORE
        ) from error


def read_tensors(path: Path, names: Iterable[str] | None = None) -> dict[str, Tensor]:
    """Read tensors to the CPU.

    Args:
        path: A safetensors file.
        names: Which ones; all by default. Others are not read.

    Raises:
        DataError: If there is no such file, it is damaged, or a tensor is not in it.
    """
    with _opened(path) as file:
        return {name: file.get_tensor(name) for name in names or file.keys()}


def tensor_names(path: Path, prefix: str) -> list[str]:
    """Names of the tensors in a safetensors file that begin so, without reading them.

    Raises:
        DataError: If there is no such file, or it is damaged.
    """
    with _opened(path) as file:
        return [name for name in file.keys() if name.startswith(prefix)]  # noqa: SIM118


def damaged(path: Path, error: Exception) -> DataError:
    """What to raise where a file of tensors is not what its card says."""
    return DataError(f"{path} does not hold what its card says: {error}", hint=_RESTORE)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        with safe_open(path, framework="pt") as file:
            yield file
    except FileNotFoundError:
        raise DataError(
            f"there is no {path.name} in {path.parent} beside its card", hint=_RESTORE
        ) from None
    except (SafetensorError, OSError) as error:
        raise damaged(path, error) from error


def _write(path: Path, content: bytes) -> None:
    with writing(path):
        path.write_bytes(content)
