import io
import json

import numpy as np
import pytest

from mezzanine_core.cache import LatentCache

PIXELS, OTHER = "ab" * 32, "cd" * 32


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A cache of two encoders: 1,000 latents of 32 numbers, and 10 of 8."""
    cache = LatentCache(tmp_path / "cache")
    keys = np.random.default_rng(0).integers(0, 256, (1000, 16), dtype=np.uint8)
    for encoder, name, n, dim in ((PIXELS, "pixels", 1000, 32), (OTHER, "other", 10, 8)):
        with cache.writer(encoder, dim, card={"name": name, "size": [dim, "[x]"]}) as writer:
            writer.append(keys[:n], np.ones((n, dim), np.float32))
    cache.record_view(PIXELS, "ef" * 32, {"world": "iphyre", "train": 800})
    monkeypatch.setenv("MEZZ_CACHE_DIR", str(cache.root))
    monkeypatch.setenv("COLUMNS", "80")
    return cache


def damage(cache) -> None:
    files = (cache.root / PIXELS).glob("segments/*/latents/**/*")
    chunk = max((path for path in files if path.is_file()), key=lambda path: path.stat().st_size)
    data = bytearray(chunk.read_bytes())
    data[100] ^= 1
    chunk.write_bytes(data)


def answer(monkeypatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))


def test_encoders_are_listed_with_what_they_hold(cache, call):
    code, out, err = call("cache", "ls")
    assert (code, err) == (0, "")
    rows = [line.split() for line in out.splitlines()]
    assert rows[0][:4] == ["fingerprint", "encoder", "latents", "dim"]
    assert {tuple(row[:4]) for row in rows[1:3]} == {
        ("abababababab", "pixels", "1,000", "32"),
        ("cdcdcdcdcdcd", "other", "10", "8"),
    }
    assert out.endswith(f" in {cache.root}\n")


def test_json_has_whole_fingerprints_and_sizes_in_bytes(cache, call):
    entries = {row["fingerprint"]: row for row in json.loads(call("cache", "ls", "--json")[1])}
    assert set(entries) == {PIXELS, OTHER}
    assert entries[PIXELS]["bytes"] >= 1000 * (32 * 4 + 16)


def test_the_flag_names_another_directory_than_the_environment(cache, call, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    code, out, _ = call("cache", "ls", "--cache-dir", str(elsewhere))
    assert (code, out) == (0, f"The cache at {elsewhere} is empty.\n")
    assert not elsewhere.exists()


def test_an_encoder_is_shown_by_the_first_digits_of_its_fingerprint(cache, call):
    code, out, _ = call("cache", "info", "ab")
    assert code == 0
    assert out.startswith(f"pixels {PIXELS}\n")
    assert "  size: [32, '[x]']\n" in out
    assert "1,000 latents of 1,000 items" in out
    assert "  efefefefefef  " in out
    assert "    world: iphyre\n    train: 800\n" in out
    document = json.loads(call("cache", "info", "ab", "--json")[1])
    assert (document["entry"]["fingerprint"], document["items"]) == (PIXELS, 1000)


def test_the_shell_completes_fingerprints(cache, mezz):
    words = {"COMP_WORDS": "mezz cache info ab", "COMP_CWORD": "3"}
    env = {"_MEZZ_COMPLETE": "complete_bash", "MEZZ_CACHE_DIR": str(cache.root), **words}
    assert mezz(env=env).stdout.split() == ["abababababab"]


def test_digits_that_no_encoder_has_are_a_usage_error(cache, call):
    code, out, err = call("cache", "info", "ff")
    assert (code, out) == (2, "")
    assert "hint: `mezz cache ls` shows what there is." in err


def test_a_whole_cache_verifies(cache, call):
    assert call("cache", "verify") == (
        0,
        f"Every segment in {cache.root} is what was written.\n",
        "",
    )


def test_damage_is_found_and_removed_on_request(cache, call):
    damage(cache)
    code, out, _ = call("cache", "verify")
    assert code == 1
    assert "differ from what was committed" in " ".join(out.split())
    code, out, _ = call("cache", "verify", "ab", "--remove", "--json")
    assert code == 0
    assert [problem["removed"] for problem in json.loads(out)] == [True]
    assert call("cache", "verify")[0] == 0


def test_leftovers_of_killed_runs_are_collected(cache, call):
    leftover = cache.root / PIXELS / "segments" / ("0" * 32)
    leftover.mkdir()
    (leftover / "latents").write_bytes(b"x" * 2000)
    (leftover / "writer.lock").touch()  # which the system unlocked when its process was killed
    code, out, _ = call("cache", "gc", "--dry-run")
    assert (code, out) == (0, f"{leftover}\nWould free 2.0 kB (1 leftover).\n")
    assert leftover.exists()
    code, out, _ = call("cache", "gc")
    assert (code, out) == (0, f"{leftover}\nFreed 2.0 kB (1 leftover).\n")
    assert not leftover.exists()
    assert len(cache.ls()) == 2


def test_removing_asks_and_says_what_would_go(cache, call, monkeypatch):
    answer(monkeypatch, "n\n")
    code, out, _ = call("cache", "rm", "ab")
    assert code == 0
    assert "abababababab  pixels  1,000  32" in out
    assert "Delete 1,000 latents of 1 encoder (" in out
    assert out.endswith("Nothing was deleted.\n")
    assert len(cache.ls()) == 2
    answer(monkeypatch, "y\n")
    code, out, _ = call("cache", "rm", "ab")
    assert code == 0
    assert "Deleted 1,000 latents of 1 encoder (" in out
    assert [entry.fingerprint for entry in cache.ls()] == [OTHER]


def test_removing_without_anybody_to_answer_is_refused(cache, call, monkeypatch):
    answer(monkeypatch, "")
    code, _, err = call("cache", "rm", "ab")
    assert code == 2
    assert "hint: Answer it beforehand, with --yes.\n" in err
    assert len(cache.ls()) == 2


def test_removing_everything_must_be_asked_for_by_name(cache, call):
    code, _, err = call("cache", "rm", "--yes")
    assert code == 2
    assert "or --all" in err
    assert call("cache", "rm", "ab", "--all", "--yes")[0] == 2
    assert len(cache.ls()) == 2
    assert call("cache", "rm", "--all", "--yes")[0] == 0
    assert cache.ls() == []
    assert call("cache", "rm", "--all") == (0, f"The cache at {cache.root} is empty.\n", "")


def test_a_cache_directory_that_is_a_file_is_an_error_with_advice(call, tmp_path):
    path = tmp_path / "file"
    path.write_text("")
    code, out, err = call("cache", "ls", "--cache-dir", str(path))
    assert (code, out) == (1, "")
    assert f"error: cannot read the latent cache at {path}" in err
    assert "hint: " in err
