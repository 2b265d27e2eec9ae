"""What a finished run's model says of new items: ``mezz predict``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mezzanine_core.builtin.noop import NoopConfig, NoopTracker
from mezzanine_core.cache import LatentCache, default_cache_dir
from mezzanine_core.context import RunContext
from mezzanine_core.errors import ConfigError
from mezzanine_core.interrupts import interrupts_kept
from mezzanine_core.plugins.registry import Registry
from mezzanine_core.progress import Progress
from mezzanine_core.recipes import Recipe
from mezzanine_core.results import plain_json
from mezzanine_core.runs.history import locate_run
from mezzanine_core.runs.instances import Instances, broken_contract, construct
from mezzanine_core.runs.recorded import finished_record, resolve_recorded
from mezzanine_core.runs.settings import RunSettings


@dataclass(frozen=True)
class PredictionRequest:
    """Which model of a run predicts, and where it computes.

    Attributes:
        run: The run directory, or its ``results.json``.
        model: Name of the model; by default the one that the run's verdict is about.
        seed: Which of the run's repetitions; by default the first.
        options: Options of a run by name (``device``, ``cache_dir``), as typed.
    """

    run: Path
    model: str | None = None
    seed: int | None = None
    options: Mapping[str, str] = field(default_factory=dict)


class Predictor:
    """A finished run whose recipe is ready to predict with the settings that it ran with.

    Constructing one reads the run's ``results.json`` and loads no model.

    Args:
        registry: The installed plugins.
        request: Which model predicts.
        environ: Environment variables: those of options of a run are read, such as
            ``MEZZ_DEVICE``; settings of the recipe are those of the run, whatever these say.

    Raises:
        UnknownNameError: If there is no run.
        DataError: If the run has not finished, or its results cannot be read.
        ConfigError: If the recipe does not take its settings (it was of another version then), an
            option is wrong, or the run has no such repetition.
        MissingDependencyError: If the recipe or a component is not installed.
    """

    def __init__(
        self, registry: Registry, request: PredictionRequest, environ: Mapping[str, str]
    ) -> None:
        self._registry = registry
        self._request = request
        self.folder = locate_run(request.run).absolute()
        record = finished_record(self.folder, "predicts new items")
        self._resolved = resolve_recorded(registry, record, request.options, environ)
        seeds = self._resolved.config.seeds
        if request.seed is not None and request.seed not in seeds:
            raise ConfigError(
                f"--seed: the run has no repetition {request.seed}",
                hint=f"There are {', '.join(map(str, seeds))}.",
            )
        self._recipe: Recipe[Any] = construct(self._resolved.recipe, self._resolved.config)

    def predict(
        self, items: Sequence[Mapping[str, Any]], progress: Progress
    ) -> list[dict[str, Any]]:
        """What the model says of each item, in their order, as plain JSON values.

        Raises:
            MezzError: What the recipe raises: see :meth:`Recipe.predict`.
            PluginError: If it does not give one prediction for each item.
        """
        settings = RunSettings(
            out=self.folder,
            cache_dir=self._resolved.options.cache_dir or default_cache_dir(),
            device=self._resolved.options.device,
            workers=self._resolved.options.workers,
        )
        settings.check_cache_dir()
        with (
            settings.make_executor(self._registry) as executor,
            interrupts_kept() as check,
            progress.checked(check),
        ):
            ctx = RunContext(
                out=self.folder,
                cache=LatentCache(settings.cache_dir),
                executor=executor,
                tracker=NoopTracker(NoopConfig()),
                registry=self._registry,
                progress=progress,
                device=settings.device,
                instances=Instances(self._registry),
            )
            found = self._recipe.predict(
                ctx,
                self.folder,
                items,
                model=self._request.model,
                repetition=self._request.seed,
            )
            predictions = [self._plain(one) for one in found]
        if len(predictions) != len(items):
            raise broken_contract(
                self._resolved.recipe,
                f"gave {len(predictions)} predictions for {len(items)} items",
            )
        return predictions

    def _plain(self, prediction: Any) -> dict[str, Any]:
        if not isinstance(prediction, Mapping):
            raise broken_contract(
                self._resolved.recipe, f"predicted a {type(prediction).__name__}, not a mapping"
            )
        try:
            plain: dict[str, Any] = plain_json(prediction)
        except ValueError as error:
            raise broken_contract(
                self._resolved.recipe, f"predicted what is no JSON: {error}"
            ) from error
        return plain
