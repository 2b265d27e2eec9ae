"""Data sets of the Hugging Face hub: from the hub where it answers, else from its caches."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mezzanine_core.errors import ConfigError, MezzError
from mezzanine_worlds_lerobot.errors import DatasetNotFoundError
from mezzanine_worlds_lerobot.metadata import FORMAT, INFO, old_format
from mezzanine_worlds_lerobot.sources import LocalFolder, Source

_log = logging.getLogger(__name__)

_HUB_TIMEOUT = 5.0
"""Seconds to wait for the hub to answer before what is cached is used."""


class HubDataset(Source):
    """A data set of the hub at one commit; a file is downloaded when it is first needed.

    Args:
        repository: Its hub id.
        folder: The snapshot in the hub's cache, which is called after the commit.
        absence: Why the hub does not answer, so that it is not asked again; ``None`` if it does.
    """

    def __init__(self, repository: str, folder: Path, absence: Exception | None = None) -> None:
        self.name = repository
        self.folder = folder
        self._absence = absence

    @property
    def commit(self) -> str:
        """The commit that the files are of."""
        return self.folder.name

    def file(self, name: str) -> Path:
        """See :meth:`Source.file`."""
        from huggingface_hub import hf_hub_download

        path = self.folder / name
        if path.is_file():
            return path
        if self._absence is None:
            _log.info("downloading %s of data set %s", name, self.name)
        try:
            with _without_bars():
                found = hf_hub_download(
                    self.name,
                    name,
                    repo_type="dataset",
                    revision=self.commit,
                    local_files_only=self._absence is not None,
                )
            return Path(found)
        # What reaches us is huggingface_hub's errors, and those of the HTTP library beneath it.
        except Exception as error:
            raise DatasetNotFoundError(
                f"{name} of data set {self.name!r} (commit {self.commit}) is not cached in "
                f"{self.folder}, and {in_words(self._absence or error)}",
                hint=_advice(self.name, self.commit),
            ) from error

    def identity(self) -> Mapping[str, Any]:
        """See :meth:`Source.identity`; a commit names everything that is in a repository."""
        return {"kind": "hub", "repo_id": self.name, "commit": self.commit}

    def file_identity(self, name: str) -> str:
        """See :meth:`Source.file_identity`: its name, so nothing is downloaded."""
        return name

    def describe(self) -> Mapping[str, Any]:
        """See :meth:`Source.describe`."""
        return {"dataset": self.name, "kind": "hub", "revision": self.commit}


def open_hub(repository: str, revision: str | None) -> Source:
    """Find a data set of the hub, and fetch its metadata.

    The hub is asked which commit the revision is; by default that is the one that has the tag of
    the format, as with ``lerobot``. Where the hub does not answer, what is cached is used: the
    hub's own cache, and then, for the default revision, the one of ``lerobot``.

    Raises:
        ConfigError: If the name is no hub id.
        DatasetNotFoundError: If it is not cached and the hub does not give it: in offline mode
            (``HF_HUB_OFFLINE``), without a network, or because it does not exist or needs a login.
        FormatError: If the hub has it in another version of the format only.
    """
    from huggingface_hub import snapshot_download

    _check_id(repository)
    wanted, cause = _ask(repository, revision)
    try:
        with _without_bars():
            folder = snapshot_download(
                repository,
                repo_type="dataset",
                revision=wanted,
                allow_patterns="meta/*",
                local_files_only=cause is not None,
            )
    # See above: errors of two libraries, and of several versions of each.
    except Exception as error:  # noqa: BLE001
        cached = _lerobot_folder(repository)
        if revision is None and (cached / INFO).is_file():
            _log.warning("using %s: %s", cached, in_words(cause or error))
            return LocalFolder(cached, repository)
        raise _not_found(repository, wanted, cause or error) from (cause or error)
    if cause is not None:
        _log.warning(
            "using the cached commit %s of data set %s: %s",
            Path(folder).name,
            repository,
            in_words(cause),
        )
    return HubDataset(repository, Path(folder), cause)


def _ask(repository: str, revision: str | None) -> tuple[str, Exception | None]:
    """Which revision to take, and why the hub does not say whether it has it, if so."""
    from huggingface_hub import HfApi
    from huggingface_hub.errors import RevisionNotFoundError

    wanted = revision or FORMAT
    try:
        HfApi().dataset_info(repository, revision=wanted, timeout=_HUB_TIMEOUT)
    except RevisionNotFoundError as error:
        if revision is not None:
            return wanted, error
        return _compatible(repository)
    # See above.
    except Exception as error:  # noqa: BLE001
        return wanted, error
    return wanted, None


def _compatible(repository: str) -> tuple[str, Exception | None]:
    """The revision that ``lerobot`` takes of a repository without the tag of our format.

    Raises:
        FormatError: If the repository has older formats only.
    """
    from lerobot.datasets.backward_compatibility import BackwardCompatibilityError
    from lerobot.datasets.utils import get_repo_versions, get_safe_version

    try:
        return get_safe_version(repository, FORMAT), None
    except (BackwardCompatibilityError, NotImplementedError) as error:
        newest = max(get_repo_versions(repository))
        raise old_format(repository, f"v{newest}") from error
    # See above; a repository without any tag of a version is among them.
    except Exception as error:  # noqa: BLE001
        return FORMAT, error


def _check_id(repository: str) -> None:
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]  # is public

    try:
        validate_repo_id(repository)
    except HFValidationError as error:
        raise ConfigError(
            f"repo_id {repository!r} is no hub id: {error}",
            hint="Give a hub id like lerobot/pusht_image, or a local folder with --root.",
        ) from error


def _lerobot_folder(repository: str) -> Path:
    """Where ``lerobot`` itself keeps that data set."""
    from lerobot.utils.constants import HF_LEROBOT_HOME

    return Path(HF_LEROBOT_HOME) / repository


@contextmanager
def _without_bars() -> Iterator[None]:
    """Turn the progress bars of the hub off, and back on if they were."""
    from huggingface_hub.utils.tqdm import (
        are_progress_bars_disabled,
        disable_progress_bars,
        enable_progress_bars,
    )

    off = are_progress_bars_disabled()
    disable_progress_bars()
    try:
        yield
    finally:
        if not off:
            enable_progress_bars()


def in_words(error: BaseException) -> str:
    """Why the hub did not give a data set."""
    from huggingface_hub import constants
    from huggingface_hub.errors import (
        EntryNotFoundError,
        GatedRepoError,
        HfHubHTTPError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    if constants.HF_HUB_OFFLINE:
        return "the hub was not asked, because offline mode is on (HF_HUB_OFFLINE)"
    if isinstance(error, MezzError):
        return error.message
    if isinstance(error, GatedRepoError):
        return "the hub gives it only to users who have been granted access: it needs a login"
    if isinstance(error, RepositoryNotFoundError):
        return "the hub has no such repository, or it is private and needs a login"
    if isinstance(error, RevisionNotFoundError):
        return "the hub has the repository, but no such revision"
    if isinstance(error, EntryNotFoundError) and not isinstance(error, LocalEntryNotFoundError):
        return "the hub has the repository, but no such file in it"
    status = getattr(getattr(error, "response", None), "status_code", None)
    if isinstance(error, HfHubHTTPError) and status is not None:
        return f"the hub answered with an error (HTTP {status})"
    return f"the hub ({constants.ENDPOINT}) cannot be reached ({type(error).__name__})"


def _not_found(repository: str, revision: str, cause: BaseException) -> DatasetNotFoundError:
    from huggingface_hub import constants

    return DatasetNotFoundError(
        f"data set {repository!r} (revision {revision!r}) is not cached in "
        f"{constants.HF_HUB_CACHE} or {_lerobot_folder(repository)}, and {in_words(cause)}",
        hint=_advice(repository, revision, cause),
    )


def _advice(repository: str, revision: str, cause: BaseException | None = None) -> str:
    from huggingface_hub import constants
    from huggingface_hub.errors import RepositoryNotFoundError, RevisionNotFoundError

    page = f"{constants.ENDPOINT}/datasets/{repository}"
    if isinstance(cause, RepositoryNotFoundError):
        return (
            f"Check the name at {page}, ask for access there if it is restricted, and log in with "
            "`hf auth login`; or give --root a local folder."
        )
    if isinstance(cause, RevisionNotFoundError):
        return f"Look at {page} for its branches and tags, and name one with --revision."
    return (
        f"Run `hf download --repo-type dataset {repository} --revision {revision}` on a machine "
        "that reaches the hub and set HF_HOME to where it is cached, or give --root a local folder."
    )
