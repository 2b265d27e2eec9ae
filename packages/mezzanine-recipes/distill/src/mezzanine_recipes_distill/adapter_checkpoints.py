"""Where the training of an adapter stands, on disk: a killed run loses minutes, not hours."""

from __future__ import annotations

import os
import pickle
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from mezzanine_core.errors import ConfigError, DataError
from mezzanine_core.files import TEMPORARY
from mezzanine_recipes_distill.artifacts import writing

Identity = Mapping[str, str | int | float | bool | None]
"""What tells one training from every other, by name."""


class Checkpoints:
    """The checkpoint of one training: a file that is replaced as a whole, or not at all.

    Args:
        path: The file; its folder is made when it is first written. Each student and repetition has
            its own.
        identity: What tells this training from others: encoder, data, seed. The training adds what
            it knows itself.
        minutes: Time between checkpoints at least, but for those at the end of an epoch.

    Attributes:
        path: As given.
    """

    def __init__(self, path: Path, identity: Identity, minutes: float = 5.0) -> None:
        self.path = path
        self._identity = dict(identity)
        self._seconds = 60 * minutes
        self._saved = time.monotonic()

    def identify(self, identity: Identity) -> None:
        """Add to what tells this training from others."""
        self._identity |= identity

    def due(self) -> bool:
        """Whether it is time for another checkpoint."""
        return time.monotonic() - self._saved >= self._seconds

    def save(self, state: Mapping[str, Any]) -> None:
        """Replace the checkpoint; a kill at any moment leaves the old one or the new one.

        Args:
            state: Tensors, numbers, strings, and lists and dictionaries of them.

        Raises:
            OutputDirectoryError: If it cannot be written; the old one stays.
        """
        temporary = self.path.with_name(f".{self.path.name}{TEMPORARY}")
        content = {"format": 1, "identity": self._identity, "state": dict(state)}
        with writing(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            try:
                with temporary.open("wb") as file:
                    torch.save(content, file)
                    file.flush()
                    os.fsync(file.fileno())
                temporary.replace(self.path)
            except BaseException:
                temporary.unlink(missing_ok=True)
                raise
        self._saved = time.monotonic()

    def load(self) -> dict[str, Any] | None:
        """What was saved last, its tensors on the CPU; ``None`` where there is no checkpoint.

        Nothing but tensors and plain values is read, so the file cannot run code.

        Raises:
            DataError: If the file is damaged, or of another version.
            ConfigError: If it is that of another training; the message says what differs.
        """
        try:
            content = torch.load(self.path, map_location="cpu", weights_only=True)
        except FileNotFoundError:
            return None
        except (RuntimeError, pickle.UnpicklingError, EOFError, OSError) as error:
            raise self._unusable(f"cannot be read: {error}") from error
        match content:
            case {"format": 1, "identity": dict(identity), "state": dict(state)}:
                self._check(identity)
                return state
        raise self._unusable("is none that this version can read")

    def remove(self) -> None:
        """Remove the checkpoint, if there is one: its student is stored elsewhere.

        Raises:
            OutputDirectoryError: If it cannot be removed.
        """
        with writing(self.path):
            self.path.unlink(missing_ok=True)

    def _check(self, found: Identity) -> None:
        differing = [
            f"{name} was {found.get(name)!r} and is {self._identity.get(name)!r}"
            for name in sorted(self._identity.keys() | found.keys())
            if self._identity.get(name) != found.get(name)
        ]
        if differing:
            raise ConfigError(
                f"the checkpoint {self.path} is that of another training: {'; '.join(differing)}",
                hint="Resume with the settings it was begun with, or remove it to begin anew.",
            )

    def _unusable(self, reason: str) -> DataError:
        return DataError(
            f"the checkpoint {self.path} {reason}", hint="Remove it to begin the training anew."
        )
