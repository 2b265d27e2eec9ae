"""The recipe contract: a runnable experiment over a world, a symmetry and an encoder."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from mezzanine_core.config import RecipeConfig
from mezzanine_core.encoders import Encoder
from mezzanine_core.errors import ConfigError
from mezzanine_core.worlds import Column

if TYPE_CHECKING:
    from mezzanine_core.context import RunContext
    from mezzanine_core.results import Results

C = TypeVar("C", bound=RecipeConfig)


@dataclass(frozen=True, eq=False)
class LatentRequest:
    """Latents that a run will ask for; ``mezz run --dry-run`` counts how many are cached.

    Attributes:
        label: What they are, such as ``train/obs``.
        column: The items.
        encoder: What encodes them.
    """

    label: str
    column: Column
    encoder: Encoder[Any]


@dataclass(frozen=True)
class Tunable:
    """What ``mezz tune`` does with a recipe where the user does not say it.

    Entries are written as the flags of the command take them.

    Attributes:
        space: What is searched, such as ``("delta_seconds=1:6", "games=hole,seesaw|hole")``.
        baseline: Name of the figure that must lie within a range: where it lies above, the question
            is too easy, and where it lies below, nothing can be learned.
        low: Lower end of that range.
        high: Upper end of that range.
        effect: Name of the figure that is maximised.
        pilot: Settings that make a run cheap, such as ``("n_train=500", "seeds=0")``. They must
            leave the meaning of both figures alone, as the number of ranked candidates does not.
    """

    space: tuple[str, ...]
    baseline: str
    low: float
    high: float
    effect: str
    pilot: tuple[str, ...] = ()


class Recipe(ABC, Generic[C]):
    """A runnable experiment.

    A recipe never imports a world or an encoder: it asks the context for the configured ones.

    Args:
        config: The recipe's settings, with those of its components nested in it.
    """

    def __init__(self, config: C) -> None:
        self.config = config

    @abstractmethod
    def run(self, ctx: RunContext) -> Results:
        """Run the experiment and return what it found; writes its artifacts to ``ctx.out``.

        Raises:
            MezzError: If the data or the settings do not allow the experiment.
        """

    def latent_requests(self, ctx: RunContext) -> Sequence[LatentRequest]:
        """Every latent that :meth:`run` will ask for, without materialising one."""
        return ()

    def tunable(self) -> Tunable | None:
        """What ``--autotune`` searches with these settings; ``None`` where only the user can say.

        Settings that the user has fixed are left out of it by the command.
        """
        return None

    def predict(
        self,
        ctx: RunContext,
        folder: Path,
        records: Sequence[Mapping[str, Any]],
        *,
        model: str | None = None,
        repetition: int | None = None,
    ) -> Iterator[Mapping[str, Any]]:
        """What a model that a run has left in its directory says of new items.

        The recipe has the settings of that run. ``mezz predict`` calls this.

        Args:
            ctx: Device, progress and components; its ``out`` is the run's directory.
            folder: The run's directory.
            records: New items: field → value, the fields named as in the run's data; an item that
                is a mere text comes as ``{"text": …}``.
            model: Which of the run's models; by default the one that its verdict is about.
            repetition: Which of the run's ``seeds``; by default the first.

        Yields:
            For each item, in order, what is predicted, as JSON values.

        Raises:
            ConfigError: If the recipe's runs predict nothing, or there is no such model.
            DataError: If the directory does not hold what is needed, or an item lacks a field.
        """
        raise ConfigError(
            "the runs of this recipe leave no model that predicts new items",
            hint="`mezz predict` works on runs that trained a student, such as those of "
            "hf_text_order_distill.",
        )
