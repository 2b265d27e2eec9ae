"""Data sets of the Hugging Face hub: from the hub where it answers, else from its caches."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mezzanine_core.errors import ConfigError, DataError
from mezzanine_worlds_hf.errors import DatasetNotFoundError
from mezzanine_worlds_hf.quiet import without_bars
from mezzanine_worlds_hf.sources import Source

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict

_log = logging.getLogger(__name__)

_COMMIT = re.compile(r"[0-9a-f]{40}")

_NO_DATA = (".md", ".py", ".yaml", ".gitattributes", "")
"""Suffixes of the files of a repository that hold no rows."""

_HUB_TIMEOUT = 5.0
"""Seconds to wait for the hub to answer before what is cached is used."""


@dataclass(frozen=True)
class _Loaded:
    """Rows by split, and the name of the configuration that they are of."""

    rows: DatasetDict
    subset: str


class HubDataset(Source):
    """One configuration of a data set of the hub, at one commit.

    Its splits are mapped into memory from the cache of ``datasets``.

    Args:
        repository: Its hub id.
        commit: The commit that the rows are of.
        loaded: Its splits.
    """

    def __init__(self, repository: str, commit: str, loaded: _Loaded) -> None:
        self.name = repository
        self.splits = tuple(str(split) for split in loaded.rows)
        self._commit = commit
        self._loaded = loaded

    def read(self, split: str) -> Dataset:
        """See :meth:`Source.read`."""
        return self._loaded.rows[split]

    def identity(self, splits: Sequence[str]) -> Mapping[str, Any]:
        """See :meth:`Source.identity`; a commit names everything that is in a repository."""
        return {"commit": self._commit, "subset": self._loaded.subset}

    def describe(self) -> Mapping[str, Any]:
        """See :meth:`Source.describe`."""
        return {
            "dataset": self.name,
            "kind": "hub",
            "revision": self._commit,
            "subset": self._loaded.subset,
        }


def open_hub(repository: str, revision: str | None, subset: str | None) -> HubDataset:
    """Find a data set of the hub.

    The hub is asked which commit the revision is, and what is not cached yet is downloaded. Where
    the hub does not answer, what is cached is used: files that ``hf download`` fetched, or what
    ``datasets`` prepared when it loaded that commit before. A full commit that was prepared is used
    without asking.

    Raises:
        ConfigError: If the name is no hub id, or the subset has to be named or is not there.
        DataError: If the repository holds nothing that ``datasets`` loads.
        DatasetNotFoundError: If it is not cached and the hub does not give it: in offline mode
            (``HF_HUB_OFFLINE``), without a network, or because it does not exist or needs a login.
    """
    from datasets.exceptions import DatasetNotFoundError as NotOnHubError
    from datasets.exceptions import DatasetsError
    from huggingface_hub import constants

    _check_id(repository)
    wanted = revision or constants.DEFAULT_REVISION
    with without_bars():
        known = _prepared(repository, subset, wanted) if _COMMIT.fullmatch(wanted) else None
        if known is not None:
            return HubDataset(repository, wanted, known)
        commit, reason, cause = _ask_commit(repository, wanted)
        try:
            if commit is not None:
                loaded = _load(repository, subset, commit)
            else:
                commit, loaded = _cached(repository, wanted, subset, reason, cause)
        except (ConnectionError, NotOnHubError) as error:
            raise _not_found(repository, wanted, _in_words(error), error) from error
        except (DatasetsError, RuntimeError, ValueError, OSError) as error:
            raise _unloadable(repository, subset, error) from error
    return HubDataset(repository, commit, loaded)


def _check_id(repository: str) -> None:
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]  # is public

    try:
        validate_repo_id(repository)
    except HFValidationError as error:
        raise ConfigError(
            f"data set {repository!r} is neither a path that exists nor a hub id: {error}",
            hint="Give a folder, a file, or a hub id like org/name; the revision goes into "
            "--revision, the configuration into --subset.",
        ) from error


def _ask_commit(repository: str, revision: str) -> tuple[str | None, str, Exception | None]:
    """The commit that a revision is now; where the hub does not say, why not."""
    from huggingface_hub import HfApi, constants

    if constants.HF_HUB_OFFLINE:
        return None, "the hub was not asked, because offline mode is on (HF_HUB_OFFLINE)", None
    try:
        info = HfApi().dataset_info(repository, revision=revision, timeout=_HUB_TIMEOUT)
    # What reaches us is huggingface_hub's errors, and those of the HTTP library beneath it, which
    # is another in each of its versions.
    except Exception as error:  # noqa: BLE001
        return None, _in_words(error), error
    return str(info.sha), "", None


def _load(path: str, subset: str | None, commit: str | None = None) -> _Loaded:
    """Load a repository, or a folder that was downloaded of it, into the cache of ``datasets``."""
    from datasets import load_dataset

    rows = load_dataset(path, subset, revision=commit)
    name = next(iter(rows.values())).info.config_name
    return _Loaded(rows, str(name or subset or "default"))


def _cached(
    repository: str, revision: str, subset: str | None, reason: str, cause: Exception | None
) -> tuple[str, _Loaded]:
    """What the caches have of a revision: its commit and rows.

    Raises:
        DatasetNotFoundError: If they have nothing.
    """
    commit = _cached_commit(repository, revision)
    found = None
    if commit is not None:
        found = _prepared(repository, subset, commit) or _downloaded(repository, subset, commit)
    if commit is None or found is None:
        raise _not_found(repository, revision, reason, cause) from cause
    if cause is not None:
        _log.warning("using the cached commit %s of data set %s: %s", commit, repository, reason)
    return commit, found


def _cached_commit(repository: str, revision: str) -> str | None:
    """The commit that a revision was when the hub last said so."""
    if _COMMIT.fullmatch(revision):
        return revision
    reference = _hub_folder(repository) / "refs" / revision
    return reference.read_text(encoding="ascii").strip() if reference.is_file() else None


def _hub_folder(repository: str) -> Path:
    from huggingface_hub import constants
    from huggingface_hub.file_download import repo_folder_name

    name = repo_folder_name(repo_id=repository, repo_type="dataset")
    return Path(constants.HF_HUB_CACHE) / name


def _downloaded(repository: str, subset: str | None, commit: str) -> _Loaded | None:
    """The rows of the files that were downloaded; ``None`` where no data file was."""
    folder = _hub_folder(repository) / "snapshots" / commit
    if not any(path.is_file() and path.suffix not in _NO_DATA for path in folder.rglob("*")):
        return None
    return _load(str(folder), subset)


def _prepared(repository: str, subset: str | None, commit: str) -> _Loaded | None:
    """The rows that ``datasets`` prepared when it loaded that commit; ``None`` if it never did."""
    from datasets import Dataset, DatasetDict, Split, concatenate_datasets, config
    from datasets.naming import camelcase_to_snakecase

    *owner, name = repository.split("/")
    root = Path(config.HF_DATASETS_CACHE) / "___".join([*owner, camelcase_to_snakecase(name)])
    infos = root.glob(f"*/*/{commit}/dataset_info.json")
    folders = {info.parts[-4]: info.parent for info in infos}
    if subset is None:
        subset = next(iter(folders)) if len(folders) == 1 else "default"
    folder = folders.get(subset)
    if folder is None:
        return None
    info = json.loads((folder / "dataset_info.json").read_text(encoding="utf-8"))
    splits = DatasetDict()
    for split in info["splits"]:
        files = sorted([*folder.glob(f"*-{split}.arrow"), *folder.glob(f"*-{split}-*-of-*.arrow")])
        parts = [Dataset.from_file(str(file)) for file in files]
        splits[split] = concatenate_datasets(parts, split=Split(split))
    return _Loaded(splits, subset)


def _in_words(error: BaseException) -> str:
    """Why the hub did not give a data set."""
    from huggingface_hub import constants
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    if isinstance(error, GatedRepoError):
        return "the hub gives it only to users who have been granted access: it needs a login"
    if isinstance(error, RepositoryNotFoundError):
        return "the hub has no such repository, or it is private and needs a login"
    if isinstance(error, RevisionNotFoundError):
        return "the hub has the repository, but no such revision"
    if isinstance(error, HfHubHTTPError) and getattr(error, "response", None) is not None:
        return f"the hub answered with an error (HTTP {error.response.status_code})"
    return f"the hub ({constants.ENDPOINT}) cannot be reached ({type(error).__name__})"


def _not_found(
    repository: str, revision: str, reason: str, cause: BaseException | None
) -> DatasetNotFoundError:
    from datasets import config
    from huggingface_hub import constants
    from huggingface_hub.errors import RepositoryNotFoundError

    option = "" if revision == constants.DEFAULT_REVISION else f" --revision {revision}"
    advice = (
        f"Run `hf download --repo-type dataset {repository}{option}` on a machine that reaches the "
        "hub and set HF_HOME to where it is cached, or give --dataset a local folder or file"
    )
    if isinstance(cause, RepositoryNotFoundError):
        advice = (
            f"Check the name at {constants.ENDPOINT}/datasets/{repository}, ask for access there "
            "if it is restricted, and log in with `hf auth login`; or give --dataset a local folder"
        )
    return DatasetNotFoundError(
        f"data set {repository!r} (revision {revision!r}) is no path here and is not cached in "
        f"{constants.HF_HUB_CACHE} or {config.HF_DATASETS_CACHE}, and {reason}",
        hint=advice,
    )


def _unloadable(repository: str, subset: str | None, error: Exception) -> Exception:
    """What ``datasets`` could not do with a data set that is there."""
    # What follows is an example of a call in Python.
    text = " ".join(str(error).partition("Example of usage")[0].split())
    if "onfig name is missing" in text or "BuilderConfig" in text:
        given = "" if subset is None else f" and not {subset!r}"
        return ConfigError(
            f"data set {repository!r} wants one of its subsets named{given}: {text}",
            hint="Name one of them with --subset.",
        )
    hint = "Look at the data set on the hub, or download it and give --dataset its files."
    if "script" in text:
        hint = "Its rows may have been converted: try --revision refs/convert/parquet."
    return DataError(f"`datasets` cannot load data set {repository!r}: {text}", hint=hint)
