"""The study: Optuna's samplers, constraints, pruning and storage, and the loop that asks them."""

from __future__ import annotations

import logging
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
from optuna.trial import FrozenTrial, TrialState

from mezzanine_core.errors import DataError
from mezzanine_core.tuning.plan import REDUCTION
from mezzanine_core.tuning.space import Dimension, Point, points

_log = logging.getLogger(__name__)

IDENTITY = "identity"
"""Attribute of the study: what must stay the same for it to be continued."""
RECORD = "record"
"""Attribute of a trial that has come to an end: what is kept of it."""
_NAME = "mezzanine"
_SEEDS = 2**32
_REDRAWS = 3
_LISTED = 10_000


def open_study(path: Path, identity: Mapping[str, Any]) -> optuna.Study:
    """Open the study in a file, or begin one there.

    What a process was doing when it was killed is noted as failed, and its points are queued to be
    tried again.

    Args:
        path: Optuna's journal.
        identity: What must be the same as when the study was begun.

    Raises:
        DataError: If the file cannot be read, or is of another study.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        _mend(path)
        lock = JournalFileOpenLock(str(path))
        storage = JournalStorage(JournalFileBackend(str(path), lock_obj=lock))
        study = optuna.create_study(
            storage=storage,
            study_name=_NAME,
            direction="maximize",
            load_if_exists=True,
            pruner=optuna.pruners.SuccessiveHalvingPruner(
                min_resource=1, reduction_factor=REDUCTION
            ),
        )
        begun = study.user_attrs.get(IDENTITY)
    except (OSError, ValueError, KeyError) as error:
        raise DataError(
            f"the study {path} cannot be read: {error}", hint="Begin another, with another --out."
        ) from error
    if begun is None:
        study.set_user_attr(IDENTITY, dict(identity))
    elif changed := _changes(begun, identity):
        raise DataError(
            f"the study {path} was begun with other settings: {'; '.join(changed)}",
            hint="Give the same settings to continue it (--trials alone may grow), or another "
            "--out.",
        )
    _revive(study)
    return study


def _mend(path: Path) -> None:
    """Undo what a process that was killed, or had no space, left half done.

    Nobody else uses the file: whoever tunes has the directory for itself.
    """
    path.with_name(f"{path.name}.lock").unlink(missing_ok=True)
    if not path.exists():
        return
    data = path.read_bytes()
    if data and not data.endswith(b"\n"):
        _log.warning("the last entry of %s is incomplete and is dropped", path)
        with path.open("r+b") as file:
            file.truncate(data.rfind(b"\n") + 1)


def _changes(begun: Mapping[str, Any], now: Mapping[str, Any], prefix: str = "") -> list[str]:
    found = []
    for name in dict.fromkeys([*begun, *now]):
        before, after = begun.get(name), now.get(name)
        if isinstance(before, dict) and isinstance(after, dict):
            found += _changes(before, after, f"{prefix}{name}.")
        elif before != after:
            found.append(f"{prefix}{name} was {before}, is {after}")
    return found


def _revive(study: optuna.Study) -> None:
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        study.tell(trial.number, state=TrialState.FAIL)
        study.enqueue_trial(dict(trial.params))


def ended(study: optuna.Study) -> list[FrozenTrial]:
    """The trials that have come to an end, those that were killed left out."""
    trials = study.get_trials(deepcopy=False)
    return [
        trial
        for trial in trials
        if trial.state in (TrialState.COMPLETE, TrialState.PRUNED)
        or (trial.state == TrialState.FAIL and RECORD in trial.user_attrs)
    ]


def distributions(space: Sequence[Dimension]) -> dict[str, BaseDistribution]:
    """A space as Optuna has it."""
    return {dimension.name: _distribution(dimension) for dimension in space}


def _distribution(dimension: Dimension) -> BaseDistribution:
    if dimension.kind == "choice":
        return CategoricalDistribution(dimension.choices)
    if dimension.kind == "int":
        return IntDistribution(
            int(dimension.low),
            int(dimension.last),
            log=dimension.log,
            step=int(dimension.step or 1),
        )
    return FloatDistribution(dimension.low, dimension.last, log=dimension.log, step=dimension.step)


class Trials:
    """Asks the study for points until enough trials have ended.

    A space with no more points than trials is tried out whole, in random order, through Optuna's
    queue.

    Args:
        study: The study.
        space: What is searched.
        wanted: How many trials are to end, those of earlier commands included.
        seed: Base seed of the sampler. Each trial's is derived from it and the trial's number, so
            that a study that is continued does not draw the same points again.

    Attributes:
        wanted: How many trials are to end: fewer than asked for where the space has fewer points.
    """

    def __init__(
        self, study: optuna.Study, space: Sequence[Dimension], wanted: int, seed: int
    ) -> None:
        self.study = study
        self.wanted = wanted
        self._space = {dimension.name: dimension for dimension in space}
        self._distributions = distributions(space)
        self._seed = seed
        self._started = len(ended(study))
        every = points(space, wanted)
        if every is not None:
            self.wanted = len(every)
            # Halving lets through what is better than all before: not in the order of the space.
            random.Random(seed).shuffle(every)
            for point in every:
                study.enqueue_trial(dict(point), skip_if_exists=True)
        self._every = points(space, _LISTED) or []

    @property
    def left(self) -> int:
        """How many trials are to begin still."""
        return max(0, self.wanted - self._started)

    def next(self) -> optuna.Trial | None:
        """Begin another trial, or ``None`` if there are enough."""
        if not self.left:
            return None
        self._started += 1
        trial = self._ask()
        for redraws_left in reversed(range(_REDRAWS)):
            if not self._tried(trial):
                break
            self.study.tell(trial, state=TrialState.FAIL)
            if not redraws_left:
                self._enqueue_untried()
            trial = self._ask()
        return trial

    def _enqueue_untried(self) -> None:
        """Let a point that nobody tried be next, where the space has an end and such a point."""
        tried = [self.point(trial) for trial in self.study.get_trials(deepcopy=False)]
        untried = [point for point in self._every if point not in tried]
        if untried:
            self.study.enqueue_trial(dict(random.Random(len(tried)).choice(untried)))

    def point(self, trial: optuna.Trial | FrozenTrial) -> Point:
        """The point that a trial tries."""
        return {name: self._space[name].exactly(value) for name, value in trial.params.items()}

    def _ask(self) -> optuna.Trial:
        number = len(self.study.get_trials(deepcopy=False))
        seed = (self._seed * 1_000_003 + number) % _SEEDS
        self.study.sampler = optuna.samplers.TPESampler(seed=seed)
        return self.study.ask(self._distributions)

    def _tried(self, trial: optuna.Trial) -> bool:
        """Whether another trial has or had the same point: samplers draw some of them twice."""
        others = [
            *ended(self.study),
            *self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)),
        ]
        point = self.point(trial)
        return any(self.point(other) == point for other in others if other.number != trial.number)


def importance(study: optuna.Study, at_least: int) -> dict[str, float]:
    """Share of each setting in the variation of the effect, over completed trials.

    Args:
        study: The study.
        at_least: Below so many completed trials nothing is said.
    """
    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    if len(complete) < at_least or len({trial.value for trial in complete}) < 2:
        return {}
    return optuna.importance.get_param_importances(study)


def chosen(study: optuna.Study) -> FrozenTrial | None:
    """The trial with the largest effect among those that meet the constraints."""
    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    if not any(all(value <= 0 for value in trial.constraints.values()) for trial in complete):
        return None
    return study.best_trial
