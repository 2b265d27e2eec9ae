"""Retrieval ranks of n predictions against n latents: peak memory, and time against bare BLAS.

The reference computes every similarity in blocks of the same size with ``queries @ targets.T`` and
keeps nothing: the least that any exact ranking by BLAS must do. Both run in this process, the
ranking first, so that the peak memory read after it is the ranking's own. Where other work shares
the machine, the ratio of processor seconds says more than that of elapsed ones.

    python benchmarks/bench_ranks.py                # 50,000 x 50,000 x 768
    python benchmarks/bench_ranks.py --n 10000 --json
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time

import numpy as np
import numpy.typing as npt

from mezzanine_core.ranks import retrieval_ranks

BLOCK = 3072


def unit_latents(rng: np.random.Generator, n: int, dim: int) -> npt.NDArray[np.float32]:
    latents = rng.standard_normal((n, dim), dtype=np.float32)
    for start in range(0, n, BLOCK):
        rows = latents[start : start + BLOCK]
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return latents


def bare_products(queries: npt.NDArray[np.float32], targets: npt.NDArray[np.float32]) -> None:
    memory = np.empty((BLOCK, BLOCK), dtype=np.float32)
    for row in range(0, len(queries), BLOCK):
        query = queries[row : row + BLOCK]
        for column in range(0, len(targets), BLOCK):
            target = targets[column : column + BLOCK]
            np.matmul(query, target.T, out=memory[: len(query), : len(target)])


def peak_bytes() -> int:
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=50_000, help="queries, and targets")
    parser.add_argument("--dim", type=int, default=768)
    parser.add_argument("--json", action="store_true", help="JSON instead of a table row")
    arguments = parser.parse_args()

    rng = np.random.default_rng(0)
    targets = unit_latents(rng, arguments.n, arguments.dim)
    queries = unit_latents(rng, arguments.n, arguments.dim)
    for row in range(0, arguments.n, BLOCK):
        queries[row : row + BLOCK] += 0.1 * targets[row : row + BLOCK]
    before = peak_bytes()
    start, start_cpu = time.perf_counter(), time.process_time()
    ranks = retrieval_ranks(queries, targets, np.arange(arguments.n))
    seconds, cpu = time.perf_counter() - start, time.process_time() - start_cpu
    peak = peak_bytes()
    start, start_cpu = time.perf_counter(), time.process_time()
    bare_products(queries, targets)
    reference, reference_cpu = time.perf_counter() - start, time.process_time() - start_cpu

    result = {
        "n": arguments.n,
        "dim": arguments.dim,
        "seconds": round(seconds, 2),
        "reference_seconds": round(reference, 2),
        "ratio": round(seconds / reference, 3),
        "cpu_ratio": round(cpu / reference_cpu, 3),
        "peak_gb": round(peak / 1e9, 3),
        "peak_before_gb": round(before / 1e9, 3),
        "mean_rank": round(float(ranks.expected().mean()), 2),
    }
    if arguments.json:
        print(json.dumps(result))
    else:
        print(
            f"| ranks {arguments.n:,} x {arguments.n:,} x {arguments.dim} | "
            f"{result['seconds']} s, {result['peak_gb']} GB peak | "
            f"bare blocked `Q @ T.T`: {result['reference_seconds']} s | "
            f"{result['ratio']} times the reference ({result['cpu_ratio']} in processor time) |"
        )


if __name__ == "__main__":
    main()
