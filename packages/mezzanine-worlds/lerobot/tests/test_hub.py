"""The real client of the hub, and a server beside it that gives what the hub gives."""

from __future__ import annotations

import hashlib
import json
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import huggingface_hub
import numpy as np
import pytest

from mezzanine_core.errors import ConfigError
from mezzanine_worlds_lerobot.config import LeRobotConfig
from mezzanine_worlds_lerobot.errors import DatasetNotFoundError, FormatError
from mezzanine_worlds_lerobot.hub import open_hub
from mezzanine_worlds_lerobot.world import LeRobotWorld

COMMIT = "0123456789abcdef0123456789abcdef01234567"
NAME = "org/pusht"
NOWHERE = "http://127.0.0.1:9"


@dataclass
class Hub:
    """A hub with one repository.

    Attributes:
        root: Its files.
        tags: Its tags.
        asked: Names of the files that were downloaded.
    """

    root: Path
    tags: list[str] = field(default_factory=lambda: ["v3.0"])
    asked: list[str] = field(default_factory=list)
    url: str = ""


@pytest.fixture(autouse=True)
def caches(tmp_path, monkeypatch) -> Path:
    """Empty caches of the hub and of lerobot."""
    from lerobot.utils import constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", NOWHERE)
    monkeypatch.setattr(constants, "HF_LEROBOT_HOME", tmp_path / "lerobot")
    return tmp_path


@pytest.fixture
def hub(pusht, monkeypatch) -> Iterator[Hub]:
    """The hub, at its address."""
    hub = Hub(pusht.root)

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

        def do_HEAD(self):
            self.answer(body=False)

        def do_GET(self):
            self.answer(body=True)

        def answer(self, body):
            api, plain = f"/api/datasets/{NAME}", f"/datasets/{NAME}/resolve/{COMMIT}/"
            path = self.path.partition("?")[0]
            if path == f"{api}/refs":
                tags = [{"name": t, "ref": f"t/{t}", "targetCommit": COMMIT} for t in hub.tags]
                self.give(json.dumps({"branches": [], "tags": tags, "converts": []}).encode())
            elif path.startswith(f"{api}/revision/"):
                if path.rpartition("/")[2] not in [*hub.tags, COMMIT]:
                    return self.refuse("RevisionNotFound")
                files = [p.relative_to(hub.root) for p in hub.root.rglob("*") if p.is_file()]
                names = [{"rfilename": file.as_posix()} for file in files]
                info = {"id": NAME, "sha": COMMIT, "siblings": names}
                self.give(json.dumps(info).encode())
            elif path.startswith(plain) and (hub.root / path.removeprefix(plain)).is_file():
                name = path.removeprefix(plain)
                hub.asked += [name] if body else []
                self.give((hub.root / name).read_bytes(), body)
            elif path.startswith(plain):
                self.refuse("EntryNotFound")
            else:
                self.refuse("RepoNotFound")

        def give(self, content, body=True):
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("ETag", f'"{hashlib.sha1(content).hexdigest()}"')
            self.send_header("X-Repo-Commit", COMMIT)
            self.end_headers()
            if body:
                self.wfile.write(content)

        def refuse(self, code):
            self.send_response(404)
            self.send_header("X-Error-Code", code)
            self.send_header("Content-Length", "0")
            self.end_headers()

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        hub.url = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", hub.url)
        monkeypatch.setattr(
            huggingface_hub.file_download,
            "HUGGINGFACE_CO_URL_TEMPLATE",
            hub.url + "/{repo_id}/resolve/{revision}/{filename}",
        )
        yield hub
        server.shutdown()
        thread.join()


def world_of(**settings):
    return LeRobotWorld(LeRobotConfig(**{"repo_id": NAME, "n_train": 30, "n_test": 20, **settings}))


def test_a_data_set_of_the_hub_gives_what_a_local_folder_gives(hub, world, fetched):
    ours, theirs = world_of(), world(hub.root)
    one, other = (opened.load().transitions("train") for opened in (ours, theirs))
    np.testing.assert_array_equal(one.action, other.action)
    np.testing.assert_array_equal(fetched(one.next_obs), fetched(other.next_obs))
    assert ours.source()["dataset"] == {"kind": "hub", "repo_id": NAME, "commit": COMMIT}
    assert ours.load().report["revision"] == COMMIT


def test_only_files_that_are_needed_are_downloaded_and_each_once(hub, fetched):
    few = {"episodes": "0:2", "n_train": 15, "n_test": 5, "delta_steps": 2}
    opened = world_of(**few)
    opened.source()
    assert all(name.startswith("meta/") for name in hub.asked)
    fetched(opened.load().transitions("train").obs)
    wanted = {opened._opened.metadata.data_file(place) for place in (0, 1)}
    assert {name for name in hub.asked if not name.startswith("meta/")} == wanted
    assert len(hub.asked) == len(set(hub.asked))
    fetched(world_of(**few, seed=1).load().transitions("train").obs)
    assert len(hub.asked) == len(set(hub.asked))


def test_what_was_downloaded_is_used_where_the_hub_does_not_answer(hub, monkeypatch, caplog):
    keys = world_of().load().transitions("test").keys
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", NOWHERE)
    np.testing.assert_array_equal(world_of().load().transitions("test").keys, keys)
    assert f"using the cached commit {COMMIT} of data set {NAME}" in caplog.text
    assert "cannot be reached" in caplog.text


def test_a_file_that_was_not_downloaded_is_named_where_the_hub_does_not_answer(hub, monkeypatch):
    world_of().source()
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", NOWHERE)
    with pytest.raises(DatasetNotFoundError, match=r"data/chunk-000.*cannot be reached") as caught:
        world_of().load()
    assert f"--revision {COMMIT}" in caught.value.hint


def test_a_newer_tag_of_the_same_format_is_taken_as_lerobot_does(hub, lerobot_dataset):
    hub.tags = ["v2.1", "v3.0"]
    assert open_hub(NAME, None).identity()["commit"] == COMMIT


def test_an_older_format_on_the_hub_is_refused_with_how_to_convert_it(hub, lerobot_dataset):
    hub.tags = ["v2.0", "v2.1"]
    with pytest.raises(FormatError, match=r"old format v2\.1") as caught:
        open_hub(NAME, None)
    assert f"--repo-id={NAME}`" in caught.value.hint


def test_a_repository_without_tags_of_a_format_is_refused(hub, lerobot_dataset):
    hub.tags = []
    with pytest.raises(DatasetNotFoundError, match="but no such revision") as caught:
        open_hub(NAME, None)
    assert "--revision" in caught.value.hint


def test_a_revision_that_is_not_there_is_refused(hub):
    with pytest.raises(DatasetNotFoundError, match=r"'nightly'.*but no such revision"):
        open_hub(NAME, "nightly")


def test_a_repository_that_is_not_there_is_refused(hub):
    with pytest.raises(DatasetNotFoundError, match="no such repository") as caught:
        open_hub("org/other", None)
    assert f"{hub.url}/datasets/org/other" in caught.value.hint
    assert caught.value.exit_code == 3


def test_a_file_that_the_repository_lacks_is_named(hub, pusht, tmp_path):
    hub.root = tmp_path / "partial"
    shutil.copytree(pusht.root / "meta", hub.root / "meta", copy_function=shutil.copyfile)
    with pytest.raises(DatasetNotFoundError, match=r"data/chunk-000.*no such file in it"):
        world_of().load()


def test_a_hub_that_cannot_be_reached_is_told_with_the_caches_and_what_to_do(caches):
    with pytest.raises(DatasetNotFoundError) as caught:
        open_hub(NAME, None)
    message = caught.value.message
    assert f"{NAME!r} (revision 'v3.0') is not cached" in message
    assert str(caches / "hub") in message
    assert str(caches / "lerobot" / NAME) in message
    assert f"{NOWHERE}) cannot be reached" in message
    assert f"hf download --repo-type dataset {NAME} --revision v3.0" in caught.value.hint
    assert caught.value.exit_code == 3


def test_offline_mode_is_told(monkeypatch):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(DatasetNotFoundError, match=r"offline mode is on \(HF_HUB_OFFLINE\)"):
        open_hub(NAME, None)


def test_what_lerobot_itself_downloaded_is_used_where_the_hub_does_not_answer(
    caches, pusht, world, caplog
):
    shutil.copytree(pusht.root, caches / "lerobot" / NAME, copy_function=shutil.copyfile)
    assert world_of().fingerprint() == world(pusht.root).fingerprint()
    assert f"using {caches / 'lerobot' / NAME}" in caplog.text


@pytest.mark.parametrize("name", ["a/b/c", "a b", "../x"])
def test_a_malformed_name_is_refused(name):
    with pytest.raises(ConfigError, match="is no hub id"):
        open_hub(name, None)
