"""The main job, from an empty cache and from a full one: wall time of whole processes, by stage.

The reference is the same command with an empty cache, run in the same session; what is reported is
the time of the second run, the part of it outside training, and the ratio to the first.

    python benchmarks/bench_run.py [--repeats 3] [--json]
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

JOB = (
    "run iphyre_latent_dynamics --games hole,seesaw --n_train 3000 --n_test 768 --delta_seconds 4.0"
)


def run(directory: Path, name: str) -> dict[str, Any]:
    """Run the job in a process of its own, and read what it left behind."""
    command = [sys.executable, "-m", "mezzanine_core", *JOB.split(), "--cache-dir"]
    command += [str(directory / "cache"), "--out", str(directory / name)]
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    seconds = time.perf_counter() - start
    results = json.loads((directory / name / "results.json").read_text(encoding="utf-8"))
    return {
        "seconds": seconds,
        "training": results["timings"]["train"],
        "outside_training": seconds - results["timings"]["train"],
        "encoded": results["cache"]["encoded"],
        "materialised": results["cache"]["materialised"],
        "timings": results["timings"],
        "verdict": results["verdict"]["label"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="print every figure as JSON")
    options = parser.parse_args()
    cold, cached = [], []
    for _ in range(options.repeats):
        with tempfile.TemporaryDirectory() as directory:
            cold.append(run(Path(directory), "cold"))
            cached.append(run(Path(directory), "cached"))
    if options.json:
        print(json.dumps({"cold": cold, "cached": cached}, indent=1))
        return
    print("| run | whole run | training | outside training | items encoded |")
    print("|---|---|---|---|---|")
    for label, runs in (("empty cache", cold), ("full cache", cached)):
        figures = [
            f"{statistics.median(one[key] for one in runs):.1f} s"
            for key in ("seconds", "training", "outside_training")
        ]
        print(f"| {label} | {' | '.join(figures)} | {runs[0]['encoded']} |")
    ratio = statistics.median(
        first["seconds"] / second["seconds"] for first, second in zip(cold, cached, strict=True)
    )
    print(f"\nThe full cache makes the whole run {ratio:.2f} times as fast.")


if __name__ == "__main__":
    main()
