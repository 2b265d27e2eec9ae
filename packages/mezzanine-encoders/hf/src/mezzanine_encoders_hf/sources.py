"""Where the files of a model are, and what they are.

A model is named by a local folder, or by a hub id, whose files then are in the hub's cache. Either
way a :class:`ModelSource` results, and from there on only files count: the digests of what they
hold say which model it is, whatever its name.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal

from huggingface_hub import HfApi, constants, snapshot_download
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]  # is public

from mezzanine_core.errors import ConfigError
from mezzanine_encoders_hf.errors import ModelFilesError, ModelNotFoundError

_log = logging.getLogger(__name__)

Part = Literal["weights", "tokenizer", "processor"]
"""A group of files that a model has besides ``config.json``."""

CONFIG = "config.json"
TOKENIZER_FILES = (
    "*token*.json",
    "tokenizer.model*",
    "vocab.*",
    "*vocab*.json",
    "*vocab*.txt",
    "merges.txt",
    "dict.txt",
    "*.model",
    "*.spm",
    "*.codes",
    "*.tokenizer",
    "tekken.json",
    "emoji.json",
    "normalizer.json",
    "word_*.json",
)
"""What the tokenizers of transformers are made of, all but code; a file too many does no harm."""

PROCESSOR_FILES = ("preprocessor_config.json", "processor_config.json")

_WEIGHTS = ("model.safetensors", "pytorch_model.bin")
"""What transformers looks for, in its order: each as one file, then with an index of shards."""

_INDEX = ".index.json"
_COMMIT = re.compile(r"[0-9a-f]{40}")

_HUB_TIMEOUT = 5.0
"""Seconds to wait for the hub to answer before what is cached is used."""


@dataclass(frozen=True)
class ModelSource:
    """The files of one model.

    Attributes:
        name: The local folder as it was given, or the hub id.
        folder: The folder that holds the files.
        commit: The hub's commit that the files are of; ``None`` for a local folder.
    """

    name: str
    folder: Path
    commit: str | None = None
    _known: dict[str, str] = field(default_factory=dict, init=False, repr=False, compare=False)

    def weight_files(self) -> tuple[Path, ...]:
        """Finds the files that transformers loads weights from; reads no weights.

        Returns:
            The file that config.json names as ``transformers_weights``; else
            ``model.safetensors``, or the shards that ``model.safetensors.index.json`` names; else
            ``pytorch_model.bin``, or the shards of its index.

        Raises:
            ModelFilesError: If there are none, or if an index is broken or names a missing shard.
        """
        head = self._weights_head()
        return self._shards(head) if head.name.endswith(_INDEX) else (head,)

    def digests(self, *parts: Part) -> dict[str, str]:
        """Digests what the model's files hold: the same for the same files, wherever they are.

        Args:
            *parts: Which files to digest besides config.json. Of the tokenizer and the processor
                the files that exist; of the weights those of :meth:`weight_files`, and their
                index.

        Returns:
            The sha256 of each file (64 hexadecimal digits), by its name, sorted by it. A file is
            read once in the life of the source.

        Raises:
            ModelFilesError: If config.json or the weights are missing or cannot be read.
        """
        paths = {self.config_file()}
        if "weights" in parts:
            paths |= {self._weights_head(), *self.weight_files()}
        if "tokenizer" in parts:
            paths |= self.tokenizer_files()
        if "processor" in parts:
            paths |= self._matching(PROCESSOR_FILES)
        names = {path.relative_to(self.folder).as_posix(): path for path in paths}
        return {name: self._digest(name, names[name]) for name in sorted(names)}

    def describe(self) -> dict[str, Any]:
        """Says for the provenance of a run where the model came from: JSON values."""
        return {"name": self.name, "folder": str(self.folder), "commit": self.commit}

    def config_file(self) -> Path:
        """Finds config.json.

        Raises:
            ModelFilesError: If there is none.
        """
        path = self.folder / CONFIG
        if not path.is_file():
            raise self.incomplete(f"there is no {CONFIG}")
        return path

    def tokenizer_files(self) -> set[Path]:
        """Finds the files that a tokenizer is made of; there may be none."""
        return self._matching(TOKENIZER_FILES)

    def read_json(self, path: Path) -> dict[str, Any]:
        """Reads one of the model's JSON files.

        Raises:
            ModelFilesError: If it cannot be read, or holds no JSON object.
        """
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise self.incomplete(f"{path.name} cannot be read as JSON ({error})") from error
        if not isinstance(content, dict):
            raise self.incomplete(f"{path.name} holds no JSON object")
        return content

    def incomplete(self, what: str) -> ModelFilesError:
        """Makes the error that says what is wrong with the files of this model."""
        if self.commit is None:
            hint = "Give --model-name a folder that save_pretrained wrote, whole, or a hub id"
        else:
            hint = f"Run `hf download {self.name} --revision {self.commit}` to complete the cache"
        return ModelFilesError(
            f"the files of model {self.name!r} in {self.folder} cannot be used: {what}", hint=hint
        )

    def _weights_head(self) -> Path:
        """The one weight file, or the index of the shards."""
        named = self.read_json(self.config_file()).get("transformers_weights")
        if named is not None:
            return self._inside(str(named), CONFIG)
        candidates = [name + suffix for name in _WEIGHTS for suffix in ("", _INDEX)]
        for name in candidates:
            if (self.folder / name).is_file():
                return self.folder / name
        raise self.incomplete(f"there are no weights (looked for {', '.join(candidates)})")

    def _shards(self, index: Path) -> tuple[Path, ...]:
        shards = self.read_json(index).get("weight_map")
        if not (shards and isinstance(shards, dict) and _are_names(shards.values())):
            raise self.incomplete(f"{index.name} names no weights")
        return tuple(self._inside(name, index.name) for name in sorted(set(shards.values())))

    def _inside(self, name: str, by: str) -> Path:
        """The file of that name, which another file refers to."""
        relative = Path(name)
        if relative.is_absolute() or ".." in relative.parts:
            raise self.incomplete(f"{by} names {name!r}, which is not in the folder")
        path = self.folder / relative
        if not path.is_file():
            raise self.incomplete(f"{by} names {name}, which is not there")
        return path

    def _matching(self, patterns: Iterable[str]) -> set[Path]:
        return {
            path for pattern in patterns for path in self.folder.glob(pattern) if path.is_file()
        }

    def _digest(self, name: str, path: Path) -> str:
        if name not in self._known:
            try:
                with path.open("rb") as file:
                    self._known[name] = hashlib.file_digest(file, "sha256").hexdigest()
            except OSError as error:
                raise self.incomplete(f"{name} cannot be read ({error})") from error
        return self._known[name]


def _are_names(values: Iterable[object]) -> bool:
    return all(isinstance(value, str) for value in values)


def find_model(name: str, revision: str | None = None) -> ModelSource:
    """Finds a model's files, and downloads them where they are not cached yet.

    Args:
        name: A local folder, a hub id (``org/name``), or a hub id with revision
            (``org/name@revision``). What begins with ``/``, ``./``, ``../`` or ``~``, or exists as
            a folder, is a local folder.
        revision: A branch, tag or commit of the hub; the default branch where it is left out. A
            full commit that is cached is used without asking the hub.

    Returns:
        The source. That its files are complete shows when they are used.

    Raises:
        ConfigError: If the name is neither a folder nor a hub id, if a folder is given a
            revision, or if two different revisions are given.
        ModelNotFoundError: If the folder does not exist, or if the model is not cached and the hub
            does not give it: in offline mode (``HF_HUB_OFFLINE``), without a network, or because
            the repository does not exist or needs a login.
    """
    local = _local_folder(name)
    if local is not None:
        _refuse_revision(name, revision)
        return ModelSource(name, local)
    repository, revision = _split(name, revision)
    if Path(repository).is_dir():
        _refuse_revision(repository, revision)
    return _find_on_hub(repository, revision or constants.DEFAULT_REVISION)


def _refuse_revision(folder: str, revision: str | None) -> None:
    if revision is not None:
        raise ConfigError(
            f"model {folder!r} is a local folder, and revision {revision!r} is of the hub",
            hint="Leave the revision out",
        )


def _local_folder(name: str) -> Path | None:
    """The folder of that name; ``None`` where the name is to be read as a hub id."""
    try:
        folder = Path(name).expanduser().absolute()
    except RuntimeError as error:  # the home folder of a user who does not exist
        raise ModelNotFoundError(f"model folder {name!r} cannot be found: {error}") from error
    if name and folder.is_dir():
        return folder
    if not (name.startswith(("./", "../", "~")) or name in (".", "..") or Path(name).is_absolute()):
        return None
    what = "is a file, not a folder" if folder.exists() else "does not exist"
    raise ModelNotFoundError(
        f"model folder {str(folder)!r} {what}",
        hint="Give --model-name the folder that holds the model's config.json, or a hub id",
    )


def _split(name: str, revision: str | None) -> tuple[str, str | None]:
    """The hub id and the revision that a name and a separate revision give."""
    repository, at, named = name.partition("@")
    try:
        validate_repo_id(repository)
    except HFValidationError as error:
        raise ConfigError(
            f"model {name!r} is neither a folder that exists nor a hub id: {error}",
            hint="Give a folder, or a hub id like org/name or org/name@revision",
        ) from error
    if at and revision is not None and named != revision:
        raise ConfigError(
            f"model {name!r} names revision {named!r}, and the revision is given as {revision!r}",
            hint="Give the revision once",
        )
    chosen = named if at else revision
    # Revisions become file names in the cache, so what git does not allow is not looked up either.
    if chosen is not None and (not chosen or re.search(r"\.\.|^/|\s|\\", chosen)):
        raise ConfigError(
            f"{chosen!r} is not a revision of model {repository!r}",
            hint="Give a branch, a tag or a commit, as in org/name@main",
        )
    return repository, chosen


def _find_on_hub(repository: str, revision: str) -> ModelSource:
    cached = _cached(repository, revision)
    if cached is not None and _COMMIT.fullmatch(revision) and _has_weights(cached):
        return cached
    cause: Exception | None = None
    if constants.HF_HUB_OFFLINE:
        reason = "the hub was not asked, because offline mode is on (HF_HUB_OFFLINE)"
    else:
        try:
            return _download(repository, revision)
        # What reaches us is huggingface_hub's errors, and those of the HTTP and transfer libraries
        # beneath it, which are others in each of its versions.
        except Exception as error:  # noqa: BLE001
            reason, cause = _in_words(error), error
    if cached is None:
        raise _not_found(repository, revision, reason, cause) from cause
    if cause is not None:
        _log.warning(
            "using the cached commit %s of model %s: %s", cached.commit, repository, reason
        )
    return cached


def _cached(repository: str, revision: str) -> ModelSource | None:
    """What the cache has of a revision, complete or not."""
    try:
        folder = snapshot_download(repository, revision=revision, local_files_only=True)
    except LocalEntryNotFoundError as error:
        # Newer versions say so of a snapshot that lacks files, needed or not, and where it is.
        incomplete = getattr(error, "snapshot_path", None)
        return None if incomplete is None else _snapshot(repository, incomplete)
    return _snapshot(repository, folder)


def _snapshot(repository: str, folder: str) -> ModelSource:
    return ModelSource(repository, Path(folder), commit=Path(folder).name)


def _has_weights(source: ModelSource) -> bool:
    try:
        source.weight_files()
    except ModelFilesError:
        return False
    return True


def _download(repository: str, revision: str) -> ModelSource:
    # Asked first, because snapshot_download waits for this answer without a limit of its own.
    info = HfApi().model_info(repository, revision=revision, timeout=_HUB_TIMEOUT)
    names = [sibling.rfilename for sibling in info.siblings or ()]
    folder = snapshot_download(
        repository,
        revision=revision,
        allow_patterns=[CONFIG, *TOKENIZER_FILES, *PROCESSOR_FILES, *_weights_among(names)],
        ignore_patterns=["*/*"],
        etag_timeout=_HUB_TIMEOUT,
    )
    return _snapshot(repository, folder)


def _weights_among(names: list[str]) -> list[str]:
    """The files of a repository that transformers would load weights from: one format of them."""
    for name in _WEIGHTS:
        if name in names:
            return [name]
        if name + _INDEX in names:
            stem, suffix = name.rsplit(".", 1)
            shards = [other for other in names if fnmatchcase(other, f"{stem}-*.{suffix}")]
            return [name + _INDEX, *shards]
    return []


def _in_words(error: Exception) -> str:
    """Why the hub did not give a model."""
    if isinstance(error, GatedRepoError):
        return "the hub gives it only to users who have been granted access: it needs a login"
    if isinstance(error, RepositoryNotFoundError):
        return "the hub has no such repository, or it is private and needs a login"
    if isinstance(error, RevisionNotFoundError):
        return "the hub has the repository, but no such revision"
    if isinstance(error, LocalEntryNotFoundError) and isinstance(error.__cause__, Exception):
        return _in_words(error.__cause__)
    if isinstance(error, HfHubHTTPError) and getattr(error, "response", None) is not None:
        return f"the hub answered with an error (HTTP {error.response.status_code})"
    if isinstance(error, OSError) and error.errno and not isinstance(error, ConnectionError):
        return f"downloading it failed ({error.strerror})"
    return f"the hub ({constants.ENDPOINT}) cannot be reached ({type(error).__name__})"


def _not_found(
    repository: str, revision: str, reason: str, cause: Exception | None
) -> ModelNotFoundError:
    option = "" if revision == constants.DEFAULT_REVISION else f" --revision {revision}"
    advice = (
        f"Run `hf download {repository}{option}` on a machine that reaches the hub and set HF_HOME "
        "to where it is cached, or give --model-name a local folder that holds the model"
    )
    if isinstance(cause, RepositoryNotFoundError):
        advice = (
            f"Check the name at {constants.ENDPOINT}/{repository}, ask for access there if it is "
            "restricted, and log in with `hf auth login`; or give --model-name a local folder"
        )
    return ModelNotFoundError(
        f"model {repository!r} (revision {revision!r}) is no folder here and is not cached in "
        f"{constants.HF_HUB_CACHE}, and {reason}",
        hint=advice,
    )
