"""``mezz predict``: what a model that a run has left says of new items."""

from __future__ import annotations

import json
import os
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Annotated

import typer

from mezzanine_core.errors import ConfigError, DataError, OutputDirectoryError
from mezzanine_core.plugins import load_registry

_STDIN = Path("-")


def predict(
    run_dir: Annotated[Path, typer.Argument(help="A run directory, or its results.json.")],
    source: Annotated[
        Path,
        typer.Option(
            "--input",
            "-i",
            metavar="FILE",
            help="New items: .txt (one text a line), .jsonl (objects or texts), .csv (with a "
            "header) or .parquet; - for stdin.",
        ),
    ],
    file_format: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="txt|jsonl|csv|parquet",
            help="What the input is, where its name does not say it; stdin is txt by default.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="FILE", help="Where predictions go; an earlier file is replaced."
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option("--model", help="Which of the run's models; its verdict's by default."),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option("--seed", help="Which of the run's repetitions; the first by default."),
    ] = None,
    device: Annotated[
        str | None, typer.Option("--device", help="Torch device: auto, cpu, mps, cuda or cuda:N.")
    ] = None,
    cache_dir: Annotated[
        str | None, typer.Option("--cache-dir", help="Directory of the latent cache.")
    ] = None,
) -> None:
    """Predict new items with a model that a run has left, as JSON lines.

    The model has the settings of the run. Predictions are one JSON object for each item, in the
    order of the input, on stdout or in the file of --out; all of them, or none where something is
    wrong. Fields of items are named as in the run's data; a mere text is the field `text`.
    """
    data, name, chosen = _read(source, file_format)
    # Imported late, so that help and a wrong file are answered without numpy and the cache.
    from mezzanine_core.progress import Progress
    from mezzanine_core.runs.new_items import items_of
    from mezzanine_core.runs.prediction import PredictionRequest, Predictor

    given = {"device": device, "cache_dir": cache_dir}
    options = {key: text for key, text in given.items() if text is not None}
    request = PredictionRequest(run_dir, model=model, seed=seed, options=options)
    with redirect_stdout(sys.stderr):
        predictor = Predictor(load_registry(), request, os.environ)
        _check_out(out, source, predictor.folder)
        items = items_of(data, chosen, name)
        with Progress() as progress:
            predictions = predictor.predict(items, progress)
    lines = "".join(json.dumps(one, allow_nan=False) + "\n" for one in predictions)
    if out is None:
        typer.echo(lines, nl=False)
    else:
        _write(out, lines)


def _read(source: Path, file_format: str | None) -> tuple[bytes, str, str]:
    """The bytes of the input, what errors call it, and its format."""
    from mezzanine_core.runs.new_items import FORMATS, format_of

    if file_format is not None and file_format not in FORMATS:
        raise ConfigError(f"--format: {file_format!r} is not one of {', '.join(FORMATS)}")
    if source == _STDIN:
        return sys.stdin.buffer.read(), "stdin", file_format or "txt"
    chosen = file_format or format_of(source)
    try:
        return source.read_bytes(), str(source), chosen
    except FileNotFoundError:
        raise ConfigError(f"--input: there is no file {source}") from None
    except IsADirectoryError:
        raise ConfigError(f"--input: {source} is a directory, not a file") from None
    except OSError as error:
        raise DataError(f"{source} cannot be read: {error.strerror}") from error


def _check_out(out: Path | None, source: Path, run: Path) -> None:
    """Refuse, before anything is computed, an output that would replace something else."""
    from mezzanine_core.runs.previous import is_of_run

    if out is None:
        return
    if out.is_dir() or not out.parent.is_dir():
        what = "is a directory" if out.is_dir() else f"there is no directory {out.parent}"
        raise ConfigError(f"--out: {out} cannot be written: {what}")
    if source != _STDIN and out.exists() and out.samefile(source):
        raise ConfigError("--out: is the file of --input", hint="Choose another --out.")
    if is_of_run(run, out):
        raise ConfigError(f"--out: {out} is a file of the run", hint="Choose another --out.")


def _write(out: Path, text: str) -> None:
    from mezzanine_core.files import write_atomically

    try:
        write_atomically(out, text)
    except OSError as error:
        raise OutputDirectoryError(
            f"--out: {out} cannot be written: {error.strerror}",
            hint="Choose another --out, or see to its permissions and to the space on its disk.",
        ) from error
