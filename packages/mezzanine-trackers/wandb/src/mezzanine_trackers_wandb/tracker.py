"""The tracker itself."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import wandb

from mezzanine_core.errors import ConfigError
from mezzanine_core.results import plain_json
from mezzanine_core.trackers import Tracker
from mezzanine_trackers_wandb.config import WandbConfig

_log = logging.getLogger(__name__)

_PICTURES = frozenset({".png", ".jpg", ".jpeg", ".gif"})
_LONGEST_NAME = 128


class WandbTracker(Tracker):
    """Logs a run to Weights & Biases.

    The run's settings are its config. What the recipe logs at a step is a metric over the recipe's
    own step, whose name ends in ``/step``: curves of several models each begin anew, where wandb's
    one step only grows. What concerns the run as a whole, the metrics and gains of the results and
    the verdict are its summary. Every PNG, JPEG and GIF file that the run wrote is a picture; all
    files that it wrote are one artifact, ``<run id>-files``.

    wandb keeps its own files in ``wandb/`` of the run directory. A run that was logged offline is
    sent by ``wandb sync`` with the directory that is told when it ends.

    Args:
        config: The project and how it is reached.
    """

    def __init__(self, config: WandbConfig) -> None:
        self._config = config
        self._out = Path()
        self._files: list[Path] = []
        self._steps: set[str] = set()
        self._run: wandb.Run | None = None

    def start(self, recipe: str, out: Path, config: Mapping[str, Any]) -> None:
        """See :meth:`Tracker.start`.

        Raises:
            ConfigError: If the run is to be sent at once, but nobody is logged in.
        """
        settings = self._config
        mode = settings.mode or os.environ.get("WANDB_MODE") or "online"
        if mode == "online" and not wandb.login(prompt=False):
            raise ConfigError(
                "nobody is logged in to Weights & Biases: run `wandb login` once, set "
                "WANDB_API_KEY, or log offline with --wandb-mode offline"
            )
        self._out = out
        self._run = wandb.init(
            project=settings.project,
            entity=settings.entity,
            group=settings.group or recipe,
            name=settings.run_name or out.name[:_LONGEST_NAME],
            tags=settings.tags,
            config=plain_json({"recipe": recipe, **config}),
            dir=out,
            mode=mode,  # type: ignore[arg-type]
            # Another run of this process, a tuner's say, has nothing to do with this one.
            reinit="create_new",
            settings=wandb.Settings(console="off", silent=True, save_code=False),
        )

    def log(self, values: Mapping[str, float], step: int | None = None) -> None:
        """See :meth:`Tracker.log`."""
        if self._run is None:
            return
        if step is None:
            self._run.summary.update(dict(values))
            return
        for group, of_one in _by_group(values).items():
            at = f"{group}/step"
            if at not in self._steps:
                self._run.define_metric(at, hidden=True)
                self._run.define_metric(f"{group}/*", step_metric=at)
                self._steps.add(at)
            self._run.log({**of_one, at: step})

    def artifact(self, path: Path) -> None:
        """See :meth:`Tracker.artifact`."""
        if self._run is None:
            return
        self._files.append(path)
        if path.suffix.lower() in _PICTURES:
            name = path.relative_to(self._out).as_posix()
            self._run.log({f"artifacts/{name}": wandb.Image(str(path))})

    def finish(self, results: Mapping[str, Any] | None) -> None:
        """See :meth:`Tracker.finish`."""
        if self._run is None:
            return
        run, self._run = self._run, None
        try:
            if results is not None:
                run.summary.update(_summary(results))
            if self._config.upload and self._files:
                run.log_artifact(self._bundle(run))
        finally:
            run.finish(exit_code=0 if results is not None else 1)
        where = f"send it with `wandb sync {run.settings.sync_dir}`" if run.offline else run.url
        _log.info("logged to Weights & Biases: %s", where)

    def _bundle(self, run: wandb.Run) -> wandb.Artifact:
        bundle = wandb.Artifact(f"{run.id}-files", type="run")
        for path in self._files:
            bundle.add_file(str(path), name=path.relative_to(self._out).as_posix())
        return bundle


def _by_group(values: Mapping[str, float]) -> dict[str, dict[str, float]]:
    """Metrics that share a step: by all of their name but its last part."""
    groups: dict[str, dict[str, float]] = {}
    for name, value in values.items():
        groups.setdefault(name.rpartition("/")[0] or "log", {})[name] = value
    return groups


def _summary(results: Mapping[str, Any]) -> dict[str, Any]:
    """Metrics and gains with their intervals, and the verdict, by name."""
    found: dict[str, Any] = {}
    for title, field in (("metrics", "metrics"), ("gains", "deltas")):
        for owner, figures in results.get(field, {}).items():
            for name, one in figures.items():
                found[f"{title}/{owner}/{name}"] = one["value"]
                found[f"{title}/{owner}/{name}/low"] = one["low"]
                found[f"{title}/{owner}/{name}/high"] = one["high"]
    verdict = results.get("verdict")
    if verdict is not None:
        found |= {"verdict": verdict["label"], "verdict/sentence": verdict["sentence"]}
    return found
