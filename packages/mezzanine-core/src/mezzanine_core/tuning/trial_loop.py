"""The trials of a study: rung by rung, each judged, until enough have ended."""

from __future__ import annotations

import dataclasses
import logging
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

import optuna
from optuna.trial import FrozenTrial, TrialState

from mezzanine_core.errors import MezzError, MissingDependencyError, PluginError
from mezzanine_core.fingerprint import fingerprint
from mezzanine_core.progress import Progress
from mezzanine_core.results import RunRecord
from mezzanine_core.runs.settings import RunSettings
from mezzanine_core.tuning.figures import find_figure
from mezzanine_core.tuning.judging import Criteria, Judgement, Outcome, judge
from mezzanine_core.tuning.lanes import Lanes
from mezzanine_core.tuning.plan import REDUCTION, TuningPlan
from mezzanine_core.tuning.records import RunSummary, TrialRecord
from mezzanine_core.tuning.space import Point, described
from mezzanine_core.tuning.study import RECORD, Trials
from mezzanine_core.tuning.trials import TrialRun

_log = logging.getLogger(__name__)

_OF_EVERY_TRIAL = (MissingDependencyError, PluginError)
"""What one trial meets, all would meet."""
_NAME_DIGITS = 10


class Runs:
    """The runs of points, each in a directory that the point and the rung name.

    A point that comes again, in this command or a later one, finds its runs there.

    Args:
        plan: What is tuned.
        base: Where and how runs run.
        out: The directory of the tuning; those of its runs are below it.
    """

    def __init__(self, plan: TuningPlan, base: RunSettings, out: Path) -> None:
        self._plan = plan
        self._base = base
        self._out = out

    def of(self, point: Point, rung: int | None) -> TrialRun:
        """The run of a rung, or, with ``None``, of the confirmation."""
        name = fingerprint(point)[:_NAME_DIGITS]
        place = f"trials/{name}/rung-{rung}" if rung is not None else f"confirmation/{name}"
        return TrialRun(
            recipe=self._plan.recipe,
            file=self._plan.file,
            flags=self._plan.settings(point, rung),
            settings=dataclasses.replace(
                self._base, out=self._out / place, command=self._plan.command(point, rung)
            ),
        )

    def summary(self, run: TrialRun, record: RunRecord) -> RunSummary:
        """What is kept of a run.

        Raises:
            UnknownNameError: If it has no figure of one of the names.
        """
        return RunSummary(
            directory=run.directory.relative_to(self._out).as_posix(),
            baseline=find_figure(record, self._plan.request.baseline),
            effect=find_figure(record, self._plan.request.effect),
            seconds=record.timings.get("total", 0.0),
            cached=record.cache.cached,
            encoded=record.cache.encoded,
        )


@dataclass
class _Open:
    """A trial that has not ended."""

    trial: optuna.Trial
    point: Point
    run: TrialRun
    future: Future[RunRecord]
    rung: int = 0
    runs: list[RunSummary] = field(default_factory=list)


class TrialLoop:
    """Runs trials until enough have ended.

    Args:
        plan: What is tuned.
        trials: Where points come from.
        runs: How a point becomes a run.
        lanes: Where runs are made.
        progress: Where the number of trials is shown.
    """

    def __init__(
        self, plan: TuningPlan, trials: Trials, runs: Runs, lanes: Lanes, progress: Progress
    ) -> None:
        self._plan = plan
        self._trials = trials
        self._runs = runs
        self._lanes = lanes
        self._progress = progress
        request = plan.request
        self._criteria = Criteria(request.low, request.high, request.disagreement)
        self._open: list[_Open] = []

    def run(self) -> None:
        """Run the trials that are wanted still.

        Raises:
            MezzError: If one meets what every trial would meet: a figure that the recipe does not
                have, a plugin that is missing or broken.
            KeyboardInterrupt: If the user interrupts; trials that have ended are in the study.
        """
        progress = self._progress
        with progress.stage("tuning"), progress.task("trials", self._trials.left) as task:
            while True:
                while len(self._open) < self._lanes.count and (trial := self._trials.next()):
                    self._begin(trial)
                if not self._open:
                    return
                done = self._lanes.wait([each.future for each in self._open])
                for each in [each for each in self._open if each.future in done]:
                    if self._advanced(each):
                        self._open.remove(each)
                        task.advance()

    def _begin(self, trial: optuna.Trial) -> None:
        point = self._trials.point(trial)
        run = self._runs.of(point, 0)
        self._open.append(_Open(trial, point, run, self._lanes.submit(run)))

    def _advanced(self, one: _Open) -> bool:
        """Take a run's outcome into account; whether the trial has ended with it."""
        try:
            record = one.future.result()
        except _OF_EVERY_TRIAL:
            raise
        except MezzError as error:
            self._fail(one, error)
            return True
        summary = self._runs.summary(one.run, record)
        one.runs.append(summary)
        is_pilot = one.rung < len(self._plan.rungs) - 1
        judgement = judge(self._criteria, summary.baseline, summary.effect, pilot=is_pilot)
        if not is_pilot:
            self._end(one, judgement, summary.effect.value)
        elif judgement.outcome != "qualifies" or self._halved(one, summary.effect.value):
            self._end(one, judgement, None)
        else:
            one.rung += 1
            one.run = self._runs.of(one.point, one.rung)
            one.future = self._lanes.submit(one.run)
            return False
        return True

    def _halved(self, one: _Open, effect: float) -> bool:
        """Whether the pilot is not among the best. Those out of range do not compete."""
        one.trial.report(effect, REDUCTION**one.rung)
        return one.trial.should_prune()

    def _end(self, one: _Open, judgement: Judgement, effect: float | None) -> None:
        for name, violation in judgement.violations.items():
            one.trial.set_constraint(name, violation)
        stopped = effect is None and judgement.outcome == "qualifies"
        outcome: Outcome = "stopped" if stopped else judgement.outcome
        self._note(one, outcome)
        state = TrialState.PRUNED if effect is None else TrialState.COMPLETE
        self._trials.study.tell(one.trial, effect, state=state)
        last = one.runs[-1]
        _log.info(
            "trial %d (%s): %s; %s %s, %s %s",
            one.trial.number,
            described(one.point),
            outcome,
            self._plan.request.baseline,
            last.baseline,
            self._plan.request.effect,
            last.effect,
        )

    def _fail(self, one: _Open, error: MezzError) -> None:
        self._note(one, "failed", error.message)
        self._trials.study.tell(one.trial, state=TrialState.FAIL)
        _log.warning("trial %d (%s): %s", one.trial.number, described(one.point), error.message)

    def _note(self, one: _Open, outcome: Outcome, problem: str | None = None) -> None:
        record = TrialRecord(
            number=one.trial.number,
            point=one.point,
            outcome=outcome,
            runs=tuple(one.runs),
            problem=problem,
        )
        one.trial.set_user_attr(RECORD, record.model_dump(mode="json"))


def trial_record(trial: FrozenTrial) -> TrialRecord:
    """What the study holds of a trial that has ended."""
    return TrialRecord.model_validate(trial.user_attrs[RECORD])
