"""How long the short commands take to start, against bare Python and ``import typer``.

Every figure is the median wall time of a fresh process, with the disk cache warm and the bytecode
compiled. The commands and the references take turns, so that whatever else the machine does meets
them all.

    python benchmarks/bench_startup.py [--repeats 15] [--json]

Each row says how long a command takes, and by how much that is more than importing Typer alone,
which no command can do without.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from statistics import median

LIMIT_SECONDS = 0.3
"""How long ``mezz --help`` and ``mezz list`` may take."""

REFERENCES = {"python -c pass": ["-c", "pass"], "python -c 'import typer'": ["-c", "import typer"]}
COMMANDS = {
    f"mezz {line}": ["-m", "mezzanine_core", *line.split()]
    for line in ("--help", "list", "list worlds", "plugins", "run --help")
}


@dataclass(frozen=True)
class Row:
    """Median seconds of a command, and its ratio to ``import typer``."""

    command: str
    seconds: float
    typer_seconds: float

    @property
    def ratio(self) -> float:
        """Time of the command over that of the reference; less is better."""
        return self.seconds / self.typer_seconds

    def markdown(self) -> str:
        """The row of the table."""
        times = f"{self.seconds * 1e3:.0f} ms | {self.typer_seconds * 1e3:.0f} ms"
        return f"| `{self.command}` | {times} | {self.ratio:.2f} |"


def seconds_of(arguments: list[str], environ: dict[str, str]) -> float:
    """Wall time of one process."""
    start = time.perf_counter()
    subprocess.run([sys.executable, *arguments], env=environ, check=True, capture_output=True)
    return time.perf_counter() - start


def measure(repeats: int) -> dict[str, float]:
    """Median seconds of each reference and command."""
    # Without bytecode every start would compile the modules anew, which no user's does.
    environ = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    processes = {**REFERENCES, **COMMANDS}
    times: dict[str, list[float]] = {name: [] for name in processes}
    for repeat in range(repeats + 1):
        for name, arguments in processes.items():
            seconds = seconds_of(arguments, environ)
            if repeat:  # the first one compiles and warms up
                times[name].append(seconds)
    return {name: median(values) for name, values in times.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    seconds = measure(arguments.repeats)
    bare, typer = (seconds[name] for name in REFERENCES)
    rows = [Row(name, seconds[name], typer) for name in COMMANDS]
    if arguments.json:
        document = [{**asdict(row), "ratio": row.ratio, "bare_python": bare} for row in rows]
        print(json.dumps(document, indent=2))
        return
    print("| command | time | `import typer` | ratio |\n|---|---|---|---|")
    for row in rows:
        print(row.markdown())
    slowest = max(seconds["mezz --help"], seconds["mezz list"])
    outcome = "met" if slowest <= LIMIT_SECONDS else "missed"
    print(f"\nBare Python: {bare * 1e3:.0f} ms. Limit of {LIMIT_SECONDS} s: {outcome}.")


if __name__ == "__main__":
    main()
