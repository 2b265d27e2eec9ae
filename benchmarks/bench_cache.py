"""The latent cache against plain numpy files, in one process, on one file system.

Every figure is the median of repeats in which the cache and its reference take turns, so that
whatever else the machine does meets both. Integrity checking is on, as it always is. Each read uses
a new ``LatentCache``: opening segments and building the index of keys are part of the time.

    python benchmarks/bench_cache.py [--rows 100000] [--dim 768] [--repeats 7] [--dir DIR] [--json]

Writes make new files, into memory that is at hand; what was written before is on the disk by then.
Everything else is timed right after an untimed call of the same function, so that files and memory
are warm, except in the row that says *cold*. Needs Linux, and 5 GB of disk for the default sizes.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from statistics import median

import numpy as np

from mezzanine_core.cache import LatentCache

ENCODER = "0" * 64
FIND_KEYS = 1_000_000


@dataclass(frozen=True)
class Row:
    """One comparison: medians in seconds, and how fast the cache is relative to the reference."""

    what: str
    reference: str
    cache_s: float
    reference_s: float
    gigabytes: float | None

    @property
    def ratio(self) -> float:
        """Speed of the cache over that of the reference; more is better."""
        return self.reference_s / self.cache_s

    def markdown(self) -> str:
        """The row of the table."""
        sizes = [
            f"{seconds * 1e3:.0f} ms"
            + ("" if self.gigabytes is None else f" ({self.gigabytes / seconds:.1f} GB/s)")
            for seconds in (self.cache_s, self.reference_s)
        ]
        return f"| {self.what} | {sizes[0]} | {self.reference}: {sizes[1]} | {self.ratio:.2f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--dim", type=int, default=768)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--dir", type=Path, help="where to write; a temporary directory by default")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.dir) as directory:
        rows = [
            *_latents(Path(directory), arguments.rows, arguments.dim, arguments.repeats),
            *_find(Path(directory), arguments.repeats),
        ]
    if arguments.json:
        print(json.dumps([{**asdict(row), "ratio": row.ratio} for row in rows], indent=1))
        return
    shape = f"{arguments.rows:,} latents of {arguments.dim} float32 numbers"
    print(f"{shape}, median of {arguments.repeats} repeats\n")
    print("| what | cache | reference | ratio |\n|---|---|---|---|")
    for row in rows:
        print(row.markdown())


def _latents(root: Path, n: int, dim: int, repeats: int) -> list[Row]:
    rng = np.random.default_rng(0)
    latents = rng.standard_normal((n, dim), dtype=np.float32)
    keys = rng.integers(0, 256, (n, 16), dtype=np.uint8)
    order = rng.permutation(n)
    few = np.sort(rng.choice(n, max(1, n // 100), replace=False))
    ten = np.sort(rng.choice(n, 10, replace=False))
    file, store = root / "reference.npy", root / "cache"

    fresh = count()

    def save(path: Path | None = None) -> None:
        np.save(path or root / f"written-{next(fresh)}.npy", latents)

    def write(path: Path | None = None) -> None:
        cache = LatentCache(path or root / f"written-{next(fresh)}")
        with cache.writer(ENCODER, dim, card={"name": "benchmark"}) as writer:
            writer.append(keys, latents)

    def flush() -> None:
        _drop_from_memory(root)

    def read(rows: slice | np.ndarray) -> Callable[[], np.ndarray]:
        return lambda: LatentCache(store).read(ENCODER, keys[rows])

    size = latents.nbytes / 1e9

    def ready() -> None:
        flush()
        # A virtual machine hands idle memory back to its host; getting it again is slow, and
        # would be charged to whoever writes first.
        np.ones(2 * latents.size, np.float32)

    table = [_compare("write", write, "np.save", save, repeats, size, before=ready)]
    save(file)
    write(store)
    if not np.array_equal(read(order)(), latents[order]):
        raise SystemExit("the cache does not give what was written")
    everything = slice(None)
    mapped = "np.load(mmap_mode='r')[rows]"
    return [
        *table,
        _compare("read", read(everything), "np.load", lambda: np.load(file), repeats, size),
        _compare(
            "read, shuffled",
            read(order),
            "np.load()[order]",
            lambda: np.load(file)[order],
            repeats,
            size,
        ),
        _compare(
            "read 1% of rows, scattered",
            read(few),
            mapped,
            lambda: np.load(file, mmap_mode="r")[few],
            repeats,
        ),
        _compare(
            "read 10 rows, scattered",
            read(ten),
            mapped,
            lambda: np.load(file, mmap_mode="r")[ten],
            repeats,
        ),
        _compare(
            "read, cold",
            read(everything),
            "np.load, cold",
            lambda: np.load(file),
            repeats,
            size,
            before=flush,
        ),
    ]


def _find(root: Path, repeats: int) -> list[Row]:
    rng = np.random.default_rng(1)
    keys = rng.integers(0, 256, (FIND_KEYS, 16), dtype=np.uint8)
    wanted = keys[rng.permutation(FIND_KEYS)]
    wanted[::2, 0] ^= 1
    with LatentCache(root / "find").writer(ENCODER, 1, card={"name": "benchmark"}) as writer:
        writer.append(keys, np.zeros((FIND_KEYS, 1), np.float32))
    names = [bytes(key) for key in wanted]
    warm = LatentCache(root / "find")
    warm.find(ENCODER, wanted[:1])
    known = dict.fromkeys(map(bytes, keys))

    def scan() -> list[bool]:
        held = dict.fromkeys(map(bytes, keys))
        return [name in held for name in names]

    if warm.find(ENCODER, wanted).tolist() != scan():
        raise SystemExit("the cache does not find what was written")
    return [
        _compare(
            "find 10⁶ keys among 10⁶, first time",
            lambda: LatentCache(root / "find").find(ENCODER, wanted),
            "building a dict and asking it",
            scan,
            repeats,
        ),
        _compare(
            "find 10⁶ keys among 10⁶, again",
            lambda: warm.find(ENCODER, wanted),
            "asking a dict",
            lambda: [name in known for name in names],
            repeats,
        ),
    ]


def _compare(
    what: str,
    cache: Callable[[], object],
    reference_name: str,
    reference: Callable[[], object],
    repeats: int,
    gigabytes: float | None = None,
    before: Callable[[], object] | None = None,
) -> Row:
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(repeats):
        for function, seconds in zip((cache, reference), times, strict=True):
            # By default the same once more, so that neither finds memory colder than the other.
            (before or function)()
            start = time.perf_counter()
            result = function()
            seconds.append(time.perf_counter() - start)
            del result
    return Row(what, reference_name, median(times[0]), median(times[1]), gigabytes)


def _drop_from_memory(root: Path) -> None:
    for path in root.rglob("*"):
        if path.is_file():
            descriptor = os.open(path, os.O_RDONLY)
            try:
                os.fsync(descriptor)
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            finally:
                os.close(descriptor)


if __name__ == "__main__":
    main()
