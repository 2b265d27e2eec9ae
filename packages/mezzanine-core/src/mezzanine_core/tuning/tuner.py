"""Tuning a recipe: the study, the choice, its confirmation, and what is left behind."""

from __future__ import annotations

import importlib.util
import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import Timeout

from mezzanine_core.config.resolve import resolve
from mezzanine_core.errors import MezzError, MissingDependencyError, OutputDirectoryError
from mezzanine_core.files import write_atomically
from mezzanine_core.plugins.registry import Registry
from mezzanine_core.plugins.requirements import installed_version
from mezzanine_core.progress import Progress
from mezzanine_core.runs.settings import RunSettings
from mezzanine_core.runs.state import folder_stamp, run_lock, timestamp
from mezzanine_core.tuning.plan import TuningPlan, written
from mezzanine_core.tuning.records import Confirmation, TrialRecord, TuningRecord

if TYPE_CHECKING:
    import optuna

    from mezzanine_core.tuning.lanes import Lanes
    from mezzanine_core.tuning.trial_loop import Runs

_log = logging.getLogger(__name__)

STUDY = "study.journal"
RECORD = "tuning.json"
CONFIG = "tuned.yml"
PICTURES = ("tuning.png", "tuning.svg")
_ROOT = Path("tunings")
_FEWEST_COMPLETE = 5
_LOCK_SECONDS = 1.0
_NEEDED = ("optuna", "matplotlib")


def check_dependencies() -> None:
    """Check that what tuning needs is installed.

    Raises:
        MissingDependencyError: If it is not.
    """
    for module in _NEEDED:
        if importlib.util.find_spec(module) is None:
            raise MissingDependencyError(
                f"tuning needs {module}, which is not installed",
                hint='pip install "mezzanine-core[tune]"',
            )


def check_directory(out: Path | None) -> None:
    """Check, touching nothing, whether a tuning may use a directory.

    Raises:
        OutputDirectoryError: If it is no directory, or holds something else than a tuning.
    """
    if out is None or not out.exists():
        return
    if not out.is_dir():
        raise OutputDirectoryError(f"--out: {out} is not a directory", hint="Choose another --out.")
    if any(out.iterdir()) and not (out / STUDY).exists():
        raise OutputDirectoryError(
            f"--out: {out} holds something else than a tuning", hint="Choose another --out."
        )


def tune(
    plan: TuningPlan,
    base: RunSettings,
    registry: Registry,
    progress: Progress,
    *,
    environ: Mapping[str, str],
    parallel: int = 1,
) -> tuple[TuningRecord, Path]:
    """Search, choose and confirm; continues where an earlier command in the directory ended.

    Args:
        plan: What is tuned.
        base: Where and how runs run; ``base.out`` is the directory of the tuning, by default a
            fresh one below ``tunings/``.
        registry: The installed plugins.
        progress: Where long work is shown.
        environ: Environment variables, where settings may come from.
        parallel: How many trials run at once; more than one run in processes of their own.

    Returns:
        What ``tuning.json`` holds, and the directory, absolute.

    Raises:
        MissingDependencyError: If Optuna or matplotlib is not installed.
        OutputDirectoryError: If the directory is in use, or holds something else.
        DataError: If it holds a study with other settings.
        MezzError: If every trial fails, or would meet the same error.
        KeyboardInterrupt: If the user interrupts; the same command continues.
    """
    check_dependencies()
    check_directory(base.out)
    started = datetime.now(UTC)
    out = _directory(base.out, plan.recipe, timestamp(started))
    with _locked(out):
        _log.info("tuning in %s; the same command with --out %s continues it", out, out)
        tuning = _Tuning(plan, base, registry, progress, environ, out, started)
        try:
            return tuning.run(parallel), out
        except MezzError:
            raise
        except OSError as error:
            raise OutputDirectoryError(
                f"--out: {out} cannot be written: {error.strerror or error}",
                hint="See to the space on its disk; the same command goes on then.",
            ) from error


def _directory(out: Path | None, recipe: str, started: str) -> Path:
    path = (_ROOT / recipe / folder_stamp(started) if out is None else out).absolute()
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputDirectoryError(
            f"--out: {path} cannot be made: {error.strerror}", hint="Choose another --out."
        ) from error
    return path


@contextmanager
def _locked(out: Path) -> Iterator[None]:
    lock = run_lock(out)
    try:
        lock.acquire(timeout=_LOCK_SECONDS)
    except Timeout:
        raise OutputDirectoryError(
            f"--out: another tuning is using {out}",
            hint="Wait until it has ended, or choose another --out.",
        ) from None
    try:
        yield
    finally:
        lock.release()


class _Tuning:
    """One command, from the opening of the study to the record."""

    def __init__(
        self,
        plan: TuningPlan,
        base: RunSettings,
        registry: Registry,
        progress: Progress,
        environ: Mapping[str, str],
        out: Path,
        started: datetime,
    ) -> None:
        self._plan = plan
        self._base = base
        self._registry = registry
        self._progress = progress
        self._environ = environ
        self._out = out
        self._started = started
        self._clock = time.perf_counter()

    def run(self, parallel: int) -> TuningRecord:
        # Optuna takes a while to import: not before a tuning is known to be possible.
        from mezzanine_core.tuning.lanes import Lanes
        from mezzanine_core.tuning.study import Trials, chosen, ended, open_study
        from mezzanine_core.tuning.trial_loop import Runs, TrialLoop, trial_record

        plan = self._plan
        study = open_study(self._out / STUDY, plan.identity())
        seed = int(plan.fixed["seed"])
        trials = Trials(study, plan.space, plan.request.trials, seed)
        runs = Runs(plan, self._base, self._out)
        with Lanes(parallel, self._registry, self._progress) as lanes:
            TrialLoop(plan, trials, runs, lanes, self._progress).run()
            records = tuple(trial_record(trial) for trial in ended(study))
            if all(record.outcome == "failed" for record in records):
                raise MezzError(
                    f"every trial failed; the last one said: {records[-1].problem}",
                    hint=f"Their directories are below {self._out / 'trials'}.",
                )
            best = chosen(study)
            winner = trial_record(best) if best is not None else None
            confirmation = None if winner is None else self._confirmed(winner, runs, lanes)
        return self._written(study, records, winner, confirmation)

    def _confirmed(self, winner: TrialRecord, runs: Runs, lanes: Lanes) -> Confirmation:
        from mezzanine_core.tuning.judging import Criteria, judge

        request = self._plan.request
        run = runs.of(winner.point, None)
        _log.info("confirming trial %d on fresh seeds and data", winner.number)
        with self._progress.stage("tuning"), self._progress.task("confirmation"):
            future = lanes.submit(run)
            lanes.wait([future])
        summary = runs.summary(run, future.result())
        criteria = Criteria(request.low, request.high, request.disagreement)
        outcome = judge(criteria, summary.baseline, summary.effect, pilot=False).outcome
        return Confirmation(
            run=summary,
            settings=self._plan.fresh,
            outcome=outcome,
            holds=outcome == "qualifies" and summary.effect.least > 0,
        )

    def _written(
        self,
        study: optuna.Study,
        records: tuple[TrialRecord, ...],
        winner: TrialRecord | None,
        confirmation: Confirmation | None,
    ) -> TuningRecord:
        from mezzanine_core.tuning.picture import draw
        from mezzanine_core.tuning.study import importance
        from mezzanine_core.tuning.words import sentence_of

        plan, request = self._plan, self._plan.request
        record = TuningRecord(
            recipe=plan.recipe,
            sentence=sentence_of(plan, records, winner, confirmation),
            chosen=None if winner is None else winner.number,
            config=None if winner is None else CONFIG,
            confirmation=confirmation,
            space={each.name: each.text for each in plan.space},
            baseline=request.baseline,
            low=request.low,
            high=request.high,
            effect=request.effect,
            disagreement=request.disagreement,
            rungs=tuple(
                {name: written(value) for name, value in rung.items()} for rung in plan.rungs
            ),
            fixed=dict(plan.fixed),
            trials=records,
            importance=importance(study, _FEWEST_COMPLETE),
            artifacts=PICTURES,
            versions={name: installed_version(name) or "" for name in ("mezzanine-core", "optuna")},
            command=self._base.command,
            started=timestamp(self._started),
            seconds=time.perf_counter() - self._clock,
        )
        self._write_config(record, winner)
        draw(record, [self._out / name for name in PICTURES])
        write_atomically(self._out / RECORD, record.model_dump_json(indent=2) + "\n")
        return record

    def _write_config(self, record: TuningRecord, winner: TrialRecord | None) -> None:
        from mezzanine_core.tuning.config_file import config_text

        path = self._out / CONFIG
        if winner is None:
            path.unlink(missing_ok=True)
            return
        plan = self._plan
        resolved = resolve(
            self._registry,
            plan.recipe,
            file=plan.file,
            environ=self._environ,
            flags=plan.settings(winner.point, len(plan.rungs) - 1),
        )
        comment = f"Settings for: mezz run {plan.recipe} --config {CONFIG}\n\n{record.sentence}"
        write_atomically(path, config_text(resolved, comment))
