import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from contextlib import closing
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

import huggingface_hub
import pytest

from mezzanine_core.errors import ConfigError
from mezzanine_encoders_hf.errors import ModelFilesError, ModelNotFoundError
from mezzanine_encoders_hf.sources import find_model

COMMIT = "0123456789abcdef0123456789abcdef01234567"
OTHER = "fedcba9876543210fedcba9876543210fedcba98"

FILES = {
    "config.json": b'{"model_type": "bert"}',
    "model.safetensors": b"weights",
    "tokenizer.json": b"{}",
    "vocab.txt": b"[PAD]\n",
    "preprocessor_config.json": b"{}",
}


def write(folder, files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def put_in_cache(cache, repository, commit, files, ref="main"):
    """Lays files out as the hub's cache does: refs name commits, snapshots link to blobs."""
    store = cache / f"models--{repository.replace('/', '--')}"
    write(store / "refs", {ref: commit.encode()})
    snapshot = store / "snapshots" / commit
    snapshot.mkdir(parents=True)
    for name, content in files.items():
        digest = sha256(content).hexdigest()
        write(store / "blobs", {digest: content})
        (snapshot / name).symlink_to(store / "blobs" / digest)
    return snapshot


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache, and a hub that is not to be asked."""
    folder = tmp_path / "hub"
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(folder))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    return folder


# Local folders.


def test_local_folder_is_used_as_it_is(tmp_path, monkeypatch):
    write(tmp_path / "org" / "model", FILES)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    names = (str(tmp_path / "org/model"), "org/model", "./org/model", "org/../org/model")
    for name in (*names, "~/org/model"):
        source = find_model(name)
        assert source.folder.is_absolute()
        assert source.folder.samefile(tmp_path / "org/model")
        assert (source.name, source.commit) == (name, None)


def test_local_folder_takes_no_revision(tmp_path):
    with pytest.raises(ConfigError, match=r"local folder.*'main'"):
        find_model(str(tmp_path), "main")


def test_local_folder_named_with_a_revision_is_not_looked_for_on_the_hub(tmp_path, monkeypatch):
    (tmp_path / "org" / "model").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="'org/model' is a local folder, and revision 'main'"):
        find_model("org/model@main")


@pytest.mark.parametrize(
    "name", ["./absent", "../absent", "~/absent", "/absent/model", "~nobody/x"]
)
def test_path_that_does_not_exist_is_not_taken_for_a_hub_id(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelNotFoundError, match="folder") as caught:
        find_model(name)
    assert caught.value.exit_code == 3


def test_file_is_not_taken_for_a_folder(tmp_path):
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"")
    with pytest.raises(ModelNotFoundError, match="is a file"):
        find_model(str(path))


@pytest.mark.parametrize(
    "name", ["", "a/b/c", "models/", "org/na me", "org//name", ".hidden", "a--b", "org/model.git"]
)
def test_what_is_no_hub_id_is_refused_by_name(cache, name):
    with pytest.raises(ConfigError, match="neither a folder that exists nor a hub id") as caught:
        find_model(name)
    assert repr(name) in caught.value.message
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("revision", ["", "../main", "a b", "/main", "a\\b"])
def test_what_is_no_revision_is_refused_by_name(cache, revision):
    for arguments in ((f"org/model@{revision}",), ("org/model", revision)):
        with pytest.raises(ConfigError, match="is not a revision of model 'org/model'"):
            find_model(*arguments)


def test_two_different_revisions_are_refused(cache):
    with pytest.raises(ConfigError, match=r"'v1'.*'v2'"):
        find_model("org/model@v1", "v2")


# The hub's cache.


def test_cached_model_is_found_offline(cache):
    snapshot = put_in_cache(cache, "org/model", COMMIT, FILES)
    source = find_model("org/model")
    assert (source.name, source.folder, source.commit) == ("org/model", snapshot, COMMIT)
    assert source.describe() == {"name": "org/model", "folder": str(snapshot), "commit": COMMIT}


def test_revision_chooses_among_cached_commits(cache):
    put_in_cache(cache, "org/model", COMMIT, FILES)
    put_in_cache(cache, "org/model", OTHER, FILES, ref="v2")
    assert find_model("org/model@v2").commit == OTHER
    assert find_model("org/model", "v2").commit == OTHER
    assert find_model("org/model@v2", "v2").commit == OTHER
    assert find_model("org/model").commit == COMMIT
    assert find_model(f"org/model@{OTHER}").commit == OTHER


def test_two_models_that_are_both_main_offline_do_not_collide(cache):
    put_in_cache(cache, "org/one", COMMIT, FILES)
    put_in_cache(cache, "org/two", OTHER, {**FILES, "model.safetensors": b"other weights"})
    one, two = find_model("org/one"), find_model("org/two")
    assert one.describe() != two.describe()
    assert one.digests("weights") != two.digests("weights")
    assert one.digests("tokenizer") == two.digests("tokenizer")


def test_model_that_is_not_cached_is_answered_with_what_to_do(cache):
    with pytest.raises(ModelNotFoundError) as caught:
        find_model("org/model@v2")
    message, hint = caught.value.message, caught.value.hint
    for culprit in ("'org/model'", "'v2'", str(cache), "offline mode is on (HF_HUB_OFFLINE)"):
        assert culprit in message
    for remedy in ("hf download org/model --revision v2", "HF_HOME", "--model-name"):
        assert remedy in hint
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(
    ("absent", "what"), [("config.json", "no config.json"), ("model.safetensors", "no weights")]
)
def test_cached_snapshot_that_lacks_files_is_answered_with_how_to_complete_it(cache, absent, what):
    files = {name: content for name, content in FILES.items() if name != absent}
    snapshot = put_in_cache(cache, "org/model", COMMIT, files)
    with pytest.raises(ModelFilesError, match=what) as caught:
        find_model("org/model").digests("weights")
    assert str(snapshot) in caught.value.message
    assert f"hf download org/model --revision {COMMIT}" in caught.value.hint
    assert caught.value.exit_code == 3


def test_blob_that_is_gone_is_a_missing_file(cache):
    put_in_cache(cache, "org/model", COMMIT, FILES)
    shutil.rmtree(cache / "models--org--model" / "blobs")
    with pytest.raises(ModelFilesError, match=r"no config\.json"):
        find_model("org/model").weight_files()


# The hub itself: a server on this machine that speaks as much of its protocol as a download needs.


class Hub:
    """What the server has (``repositories``), how it answers, and what it was asked."""

    def __init__(self):
        self.repositories = {}
        self.error = None
        self.error_below = "/"
        self.asked = []


@pytest.fixture
def hub():
    state = Hub()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self, status, body=b"", **headers):
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def do_GET(self):
            path = unquote(urlsplit(self.path).path)
            state.asked.append(path)
            if state.error is not None and path.startswith(state.error_below):
                status, code = state.error
                return self.answer(status, X_Error_Code=code) if code else self.answer(status)
            for name, (commit, files) in state.repositories.items():
                if path.startswith(f"/api/models/{name}/tree/"):
                    tree = [
                        {"type": "file", "path": p, "size": len(c), "oid": sha256(c).hexdigest()}
                        for p, c in files.items()
                    ]
                    return self.answer(200, json.dumps(tree).encode())
                if path.startswith(f"/api/models/{name}"):
                    siblings = [{"rfilename": file} for file in files]
                    info = {"id": name, "modelId": name, "sha": commit, "siblings": siblings}
                    return self.answer(200, json.dumps(info).encode())
                prefix = f"/{name}/resolve/{commit}/"
                if path.startswith(prefix):
                    body = files[path.removeprefix(prefix)]
                    etag = f'"{sha256(body).hexdigest()}"'
                    return self.answer(200, body, ETag=etag, X_Repo_Commit=commit)
            return self.answer(404, X_Error_Code="RepoNotFound")

        do_HEAD = do_GET  # noqa: N815

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield state
    server.shutdown()
    thread.join()
    server.server_close()


SCRIPT = """
import json, logging, sys
from mezzanine_core.errors import MezzError
from mezzanine_encoders_hf.sources import find_model
logging.basicConfig(format="LOG %(message)s")
try:
    answer = find_model(sys.argv[1]).describe()
except MezzError as error:
    answer = {"error": type(error).__name__, "message": error.message, "hint": error.hint}
sys.stdout.write(json.dumps(answer))
"""


@pytest.fixture
def ask(tmp_path):
    """Finds a model in a process of its own, which asks the hub at a URL."""

    def run(name, url):
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("HF_", "TRANSFORMERS_"))}
        environment = {**kept, "HF_HOME": str(tmp_path / "home"), "HF_ENDPOINT": url}
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, name],
            env={**environment, "HF_HUB_DISABLE_XET": "1", "NO_PROXY": "127.0.0.1"},
            capture_output=True,
            text=True,
            check=True,
        )
        logged = [line for line in done.stderr.splitlines() if line.startswith("LOG using")]
        return {**json.loads(done.stdout), "logged": logged}

    return run


def closed_port():
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


def downloaded(answer):
    return sorted(path.name for path in Path(answer["folder"]).iterdir())


def test_only_the_files_that_transformers_needs_are_downloaded(hub, ask):
    unneeded = (
        "README.md",
        "consolidated.safetensors",
        "flax_model.msgpack",
        "model.fp16.safetensors",
        "onnx/config.json",
        "onnx/model.onnx",
        "original/model.safetensors",
        "pytorch_model.bin",
        "tf_model.h5",
        "training_args.bin",
    )
    hub.repositories["org/model"] = (COMMIT, {**FILES, **dict.fromkeys(unneeded, b"unneeded")})
    answer = ask("org/model", hub.url)
    assert answer["commit"] == COMMIT
    assert downloaded(answer) == sorted(FILES)


def test_shards_are_downloaded_with_their_index(hub, ask):
    weights = (
        "model.safetensors.index.json",
        "model-1-of-2.safetensors",
        "model-2-of-2.safetensors",
    )
    files = {"config.json": b"{}", **dict.fromkeys(weights, b"{}"), "pytorch_model.bin": b""}
    hub.repositories["org/model"] = (COMMIT, files)
    assert downloaded(ask("org/model", hub.url)) == sorted(["config.json", *weights])


def test_pickled_weights_are_downloaded_where_there_are_no_others(hub, ask):
    files = {"config.json": b"{}", "pytorch_model.bin": b"weights", "training_args.bin": b""}
    hub.repositories["org/model"] = (COMMIT, files)
    assert downloaded(ask("org/model", hub.url)) == ["config.json", "pytorch_model.bin"]


def test_branch_that_moved_is_followed_while_the_hub_answers_and_the_last_one_kept_else(hub, ask):
    hub.repositories["org/model"] = (COMMIT, FILES)
    first = ask("org/model", hub.url)
    hub.repositories["org/model"] = (OTHER, {**FILES, "model.safetensors": b"new"})
    second = ask("org/model", hub.url)
    assert (first["commit"], second["commit"]) == (COMMIT, OTHER)
    assert (first["logged"], second["logged"]) == ([], [])
    third = ask("org/model", closed_port())
    assert third["commit"] == OTHER
    (line,) = third["logged"]
    assert "org/model" in line
    assert "cannot be reached" in line


def test_full_commit_that_is_cached_is_used_without_asking_the_hub(hub, ask):
    hub.repositories["org/model"] = (COMMIT, FILES)
    ask(f"org/model@{COMMIT}", hub.url)
    hub.asked.clear()
    assert ask(f"org/model@{COMMIT}", hub.url)["commit"] == COMMIT
    assert hub.asked == []


def test_download_that_was_interrupted_is_completed(hub, ask):
    hub.repositories["org/model"] = (COMMIT, FILES)
    weights = Path(ask(f"org/model@{COMMIT}", hub.url)["folder"]) / "model.safetensors"
    weights.unlink()
    ask(f"org/model@{COMMIT}", hub.url)
    assert weights.read_bytes() == FILES["model.safetensors"]


@pytest.mark.parametrize(
    ("error", "reason", "remedy"),
    [
        ((404, "RepoNotFound"), "no such repository", "hf auth login"),
        ((403, "GatedRepo"), "granted access", "hf auth login"),
        ((404, "RevisionNotFound"), "no such revision", "hf download"),
        ((503, None), "HTTP 503", "hf download"),
    ],
)
def test_what_the_hub_refuses_is_said(hub, ask, tmp_path, error, reason, remedy):
    hub.error = error
    answer = ask("org/model", hub.url)
    assert answer["error"] == "ModelNotFoundError"
    assert reason in answer["message"]
    assert str(tmp_path / "home" / "hub") in answer["message"]
    assert remedy in answer["hint"]


def test_files_behind_a_gate_are_said_to_be(hub, ask):
    hub.repositories["org/model"] = (COMMIT, FILES)
    # The hub describes such a repository to everyone, and refuses its files.
    hub.error, hub.error_below = (403, "GatedRepo"), "/org/model/resolve/"
    answer = ask("org/model", hub.url)
    assert answer["error"] == "ModelNotFoundError"
    assert "granted access" in answer["message"]


def test_hub_out_of_reach_is_said(ask):
    url = closed_port()
    answer = ask("org/model", url)
    assert answer["error"] == "ModelNotFoundError"
    assert f"the hub ({url}) cannot be reached" in answer["message"]


@pytest.mark.slow
def test_hub_that_never_answers_is_given_up_after_seconds(ask):
    with closing(socket.create_server(("127.0.0.1", 0), backlog=16)) as silent:
        before = time.monotonic()
        answer = ask("org/model", f"http://127.0.0.1:{silent.getsockname()[1]}")
        assert time.monotonic() - before < 15
    assert "cannot be reached" in answer["message"]


# Weight files.


def index_of(*shards):
    weights = {f"layer.{n}.weight": shard for n, shard in enumerate(shards)}
    return json.dumps({"metadata": {}, "weight_map": weights}).encode()


SHARDS = {name: name.encode() for name in ("model-2.safetensors", "model-1.safetensors")}
INDEXED = {"model.safetensors.index.json": index_of(*SHARDS, *SHARDS), **SHARDS}
PICKLED = {"pytorch_model.bin": b"pickled"}
PICKLED_SHARDS = {
    "pytorch_model.bin.index.json": index_of("a.bin", "b.bin"),
    "a.bin": b"",
    "b.bin": b"",
}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({**INDEXED, **PICKLED, "model.safetensors": b""}, ["model.safetensors"]),
        ({**INDEXED, **PICKLED}, ["model-1.safetensors", "model-2.safetensors"]),
        ({**PICKLED, **PICKLED_SHARDS}, ["pytorch_model.bin"]),
        (PICKLED_SHARDS, ["a.bin", "b.bin"]),
        (
            {
                "config.json": b'{"transformers_weights": "other.safetensors"}',
                "other.safetensors": b"",
                "model.safetensors": b"",
            },
            ["other.safetensors"],
        ),
    ],
)
def test_weight_files_are_those_that_transformers_loads(tmp_path, files, expected):
    source = find_model(str(write(tmp_path / "model", {"config.json": b"{}", **files})))
    assert [path.name for path in source.weight_files()] == expected


@pytest.mark.parametrize(
    ("files", "what"),
    [
        ({}, r"no weights \(looked for model\.safetensors, .*pytorch_model\.bin\.index\.json\)"),
        ({"tf_model.h5": b"", "adapter_model.safetensors": b""}, "no weights"),
        ({"model.safetensors.index.json": b"{"}, r"index\.json cannot be read as JSON"),
        ({"model.safetensors.index.json": b"\xff\xfe"}, r"index\.json cannot be read as JSON"),
        ({"model.safetensors.index.json": b"[]"}, "holds no JSON object"),
        ({"model.safetensors.index.json": b"{}"}, "names no weights"),
        ({"model.safetensors.index.json": index_of("gone.safetensors")}, "gone.safetensors"),
        ({"model.safetensors.index.json": index_of("../x.safetensors")}, "not in the folder"),
        (
            {"model.safetensors.index.json": b'{"weight_map": {"a": 1, "b": "c"}}'},
            "names no weights",
        ),
        ({"config.json": b'{"transformers_weights": "gone.safetensors"}'}, "gone.safetensors"),
        ({"config.json": b"{"}, r"config\.json cannot be read as JSON"),
    ],
)
def test_folder_without_whole_weights_is_refused_by_name(tmp_path, files, what):
    folder = write(tmp_path / "model", {"config.json": b"{}", **files})
    with pytest.raises(ModelFilesError, match=what) as caught:
        find_model(str(folder)).weight_files()
    assert str(folder) in caught.value.message


# Digests.


def test_digests_are_sha256_of_the_files_of_the_parts(tmp_path):
    files = {"config.json": b"{}", **INDEXED, "tokenizer.json": b"t", "merges.txt": b"m"}
    more = {"README.md": b"", "preprocessor_config.json": b"p", "training_args.bin": b""}
    source = find_model(str(write(tmp_path / "model", {**files, **more})))
    for parts, names in (
        ((), ()),
        (("weights",), INDEXED),
        (("tokenizer",), ("merges.txt", "tokenizer.json")),
        (("processor",), ("preprocessor_config.json",)),
    ):
        expected = {n: sha256({**files, **more}[n]).hexdigest() for n in ("config.json", *names)}
        assert source.digests(*parts) == expected
    assert list(source.digests("weights", "tokenizer")) == sorted(files)


def test_digests_do_not_depend_on_where_the_files_are(tmp_path, cache):
    put_in_cache(cache, "org/model", COMMIT, FILES)
    names = [str(write(tmp_path / name, FILES)) for name in ("one", "two")]
    prints = [
        find_model(n).digests("weights", "tokenizer", "processor") for n in (*names, "org/model")
    ]
    assert prints[0] == prints[1] == prints[2]
    assert sorted(prints[0]) == sorted(FILES)


def test_one_edited_byte_changes_the_digests_even_at_equal_size_and_time(tmp_path):
    folder = write(tmp_path / "model", {**FILES, "model.safetensors": bytes(3_000_000)})
    before = find_model(str(folder)).digests("weights")
    path = folder / "model.safetensors"
    stat = path.stat()
    with path.open("r+b") as file:
        file.seek(2_345_678)
        file.write(b"\x01")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert path.stat().st_size == stat.st_size
    assert path.stat().st_mtime_ns == stat.st_mtime_ns
    after = find_model(str(folder)).digests("weights")
    assert {name for name in before if before[name] != after[name]} == {"model.safetensors"}


def test_file_is_read_once_in_the_life_of_a_source(tmp_path):
    source = find_model(str(write(tmp_path / "model", FILES)))
    before = source.digests("weights")
    (source.folder / "model.safetensors").write_bytes(b"changed")
    assert (
        source.digests("weights", "tokenizer")["model.safetensors"] == before["model.safetensors"]
    )
    assert find_model(source.name).digests("weights") != before


def test_model_without_config_has_no_digests(tmp_path):
    folder = write(tmp_path / "model", {"model.safetensors": b""})
    with pytest.raises(ModelFilesError, match=r"no config\.json"):
        find_model(str(folder)).digests()


def test_sources_compare_by_what_they_name(tmp_path):
    folder = str(write(tmp_path / "model", FILES))
    one, two = find_model(folder), find_model(folder)
    one.digests("weights")
    assert one == two
    assert hash(one) == hash(two)


def test_importing_sources_imports_neither_torch_nor_transformers():
    script = (
        "import sys, mezzanine_encoders_hf.sources;"
        "sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


@pytest.mark.parametrize("name", ["bpe.codes", "source.spm", "tekken.json", "vocab-src.json"])
def test_every_file_that_a_tokenizer_is_made_of_is_digested(tmp_path, name):
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / name).write_text("a b\n")
    before = find_model(str(tmp_path)).digests("tokenizer")
    (tmp_path / name).write_text("a c\n")
    after = find_model(str(tmp_path)).digests("tokenizer")
    assert before[name] != after[name]
