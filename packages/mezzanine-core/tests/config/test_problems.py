"""What is said about values that are wrong: the culprit, the value, and what is permitted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mezzanine_core.config import resolve
from mezzanine_core.errors import ConfigError, MezzError
from mezzanine_core.plugins import Registry


def said(registry: Registry, recipe: str = "blob_norms", **sources: Any) -> str:
    with pytest.raises(MezzError) as caught:
        resolve(registry, recipe, **sources)
    assert caught.value.exit_code == 2
    return str(caught.value)


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ({"n-train": "0"}, "--n-train: 0 is out of range; permitted: 1 <= x <= 100000"),
        ({"n_train": "-3"}, "--n-train: -3 is out of range; permitted: 1 <= x <= 100000"),
        ({"world.n_train": 0}, "--world.n-train: 0 is out of range; permitted: 1 <= x <= 100000"),
        ({"n_train": "many"}, "--n-train: 'many' is not valid: a whole number is expected"),
        ({"n_train": "1.5"}, "--n-train: 1.5 is not valid: a whole number is expected"),
        ({"n_train": 1.5}, "--n-train: 1.5 is not a whole number"),
        ({"n_train": "9" * 5000}, f"--n-train: {'9' * 60}... is not valid: a whole number"),
        ({"n_train": ""}, "--n-train: '' is not valid: a whole number is expected"),
        ({"delta_seconds": "0"}, "--delta-seconds: 0 is out of range; permitted: 0 < x <= 15"),
        ({"delta_seconds": "x"}, "--delta-seconds: 'x' is not valid: a number is expected"),
        ({"noise": "nan"}, "--noise: nan is not a finite number"),
        ({"noise": "1e999"}, "--noise: 1e999 is not a finite number"),
        ({"resume": "maybe"}, "--resume: 'maybe' is not valid: true or false is expected"),
        (
            {"overlap": "dorp"},
            "--overlap: 'dorp' is not one of drop, keep, fail\nDid you mean 'drop'?",
        ),
        ({"level": "4"}, "--level: 4 is not one of 1, 2, 3"),
        ({"colour": "reed"}, "--colour: 'reed' is not one of red, blue\nDid you mean 'red'?"),
        (
            {"games": "hole,towr"},
            "--games: item 2: 'towr' is not one of hole, seesaw, tower\nDid you mean 'tower'?",
        ),
        ({"games": ""}, "--games: 0 items; permitted: at least 1 item"),
        ({"seeds": "1,-1"}, "--seeds: item 2: -1 is out of range; permitted: x >= 0"),
        ({"window": "1"}, "--window: 1 item; exactly 2 are needed"),
        ({"window": "1,2,3"}, "--window: 3 items; exactly 2 are needed"),
        ({"window": "1,x"}, "--window: item 2: 'x' is not valid: a number is expected"),
        ({"window": "3,1"}, "world blobs: window (3.0, 1.0) ends before it begins"),
        ({"note": 3}, "--note: 3 is not valid: text is expected; put it in quotes"),
        ({"root": 3}, "--root: 3 is not valid: a path is expected"),
        ({"seeds": 3}, "--seeds: 3 is not valid: a list is expected"),
        ({"extra": "{a"}, "--extra: '{a' is neither JSON nor YAML: expected ',' or '}'"),
        ({"extra": "3"}, "--extra: 3 is not valid: a mapping is expected"),
        ({"extra": '{"a": "x"}'}, "--extra: 'x' is not valid: a number is expected"),
        ({"limit": "some"}, "--limit: 'some' is not valid: a whole number is expected; or"),
        (
            {"device": "gpu"},
            "--device: 'gpu' is not a device; permitted: auto, cpu, mps, cuda, cuda:N",
        ),
        ({"workers": "0"}, "--workers: 0 is out of range; permitted: x >= 1"),
        ({"cache_dir": "~nobody-at-all/x"}, "--cache-dir: '~nobody-at-all/x' cannot be expanded"),
        ({"log": "wandbb"}, "--log: there is no tracker 'wandbb'"),
        ({"gmaes": "hole"}, "--gmaes: there is no such flag\nDid you mean --games?"),
        (
            {"world.gmaes": "hole"},
            "--world.gmaes: there is no such flag\nDid you mean --world.games?",
        ),
        (
            {"zzzzzzz": "1"},
            "--zzzzzzz: there is no such flag\n`mezz run blob_norms --help` shows all.",
        ),
        ({"repo_id": "x"}, "The world robot has it: choose it with `--world robot`."),
        ({"world": "blbs"}, "--world: there is no world 'blbs'\nDid you mean 'blobs'?"),
        ({"world": 3}, "--world: 3 is not the name of a world"),
        ({"name": "blobs"}, "--name: there is no such flag"),
        ({"optim": "3"}, "--optim: 'optim' holds several settings"),
    ],
    ids=lambda each: (
        next(iter(each)) + "=" + str(next(iter(each.values())))[:20]
        if isinstance(each, dict)
        else ""
    ),
)
def test_a_wrong_flag_is_named_with_its_value_and_what_is_permitted(
    registry: Registry, flags: dict[str, Any], words: str
) -> None:
    assert words in said(registry, flags=flags)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: 1\nn_train: 0\n", ":2: n_train: 0 is out of range; permitted: 1 <= x <= 100000"),
        ("world:\n  n_train: 0\n", ":2: world.n_train: 0 is out of range"),
        ("n_train: true\n", ":1: n_train: 'true' is not valid: a whole number is expected"),
        ("seeds: [1, true]\n", ":1: seeds: item 2: 'true' is not valid: a whole number"),
        ("note: 3\n", ":1: note: 3 is not valid: text is expected; put it in quotes"),
        ("note: no\nresume: maybe\n", ":2: resume: 'maybe' is not valid: true or false"),
        ("gmaes: [hole]\n", ":1: gmaes: there is no such setting\nDid you mean 'games'?"),
        ("world:\n  gmaes: x\n", ":2: world.gmaes: there is no such setting\nDid you mean"),
        ("repo_id: x\n", "The world robot has it: choose it with `world: robot`."),
        ("world: [blobs]\n", ":1: world: ['blobs'] is not the name of a world"),
        ("games: [hole]\nworld:\n  games: [hole]\n", "'world.games' is given twice, first by"),
        ("optim: 3\n", ":1: optim: 'optim' holds several settings"),
        ("optim:\n  betas: [1]\n", ":2: optim.betas: 1 item; exactly 2 are needed"),
        ("config: x\n", ":1: config: there is no such setting"),
    ],
)
def test_a_wrong_key_or_value_of_a_file_is_named_with_its_line(
    registry: Registry, tmp_path: Path, text: str, words: str
) -> None:
    path = tmp_path / "config.yml"
    path.write_text(text)

    message = said(registry, file=path)

    assert words in message
    if words.startswith(":"):
        assert f"{path}{words}" in message


def test_a_wrong_variable_is_named(registry: Registry) -> None:
    message = said(registry, environ={"MEZZ_N_TRAIN": "0", "MEZZ_WORLD__OVERLAP": "dorp"})

    assert "MEZZ_N_TRAIN: 0 is out of range" in message
    assert "MEZZ_WORLD__OVERLAP: 'dorp' is not one of drop, keep, fail. Did you mean" in message


def test_everything_that_is_wrong_is_said_at_once(registry: Registry, tmp_path: Path) -> None:
    path = tmp_path / "config.yml"
    path.write_text("stepz: 1\nsteps: 0\nwindow: [2, 1]\n")

    message = said(
        registry,
        file=path,
        environ={"MEZZ_NOISE": "-1"},
        flags={"gmaes": "x", "seeds": "-1", "extra": "{", "device": "gpu", "encoder": "plian"},
    )

    lines = message.splitlines()
    assert lines[0] == "8 settings of blob_norms are wrong:"
    assert len(lines) == 9
    for culprit in (
        "--encoder",
        f"{path}:1: stepz",
        f"{path}:2: steps",
        "MEZZ_NOISE",
        "--gmaes",
        "--seeds",
        "--extra",
        "--device",
    ):
        assert any(line.startswith(f"  {culprit}: ") for line in lines), culprit


def test_while_a_component_is_unknown_its_settings_are_not_called_wrong(
    registry: Registry,
) -> None:
    message = said(registry, "norms", flags={"world": "blbs", "repo_id": "x", "stesp": "1"})

    assert "repo" not in message
    assert "--stesp: there is no such flag. Did you mean --steps" in message


def test_a_wrong_seed_is_said_once(registry: Registry) -> None:
    assert said(registry, flags={"seed": "-1"}) == "--seed: -1 is out of range; permitted: x >= 0"


def test_several_problems_make_one_config_error(registry: Registry) -> None:
    with pytest.raises(ConfigError, match="2 settings of blob_norms are wrong"):
        resolve(registry, "blob_norms", flags={"steps": "0", "model_name": "x"})
