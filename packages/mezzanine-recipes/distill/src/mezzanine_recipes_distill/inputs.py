"""What the recipe works on: views of the two splits of a world, and what encodes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mezzanine_core.context import RunContext
from mezzanine_core.encoders import Encoder, ScoresChoices
from mezzanine_core.errors import ConfigError
from mezzanine_core.recipes import LatentRequest
from mezzanine_core.symmetries import Symmetry
from mezzanine_core.views import SplitViews, draw_views
from mezzanine_core.worlds import ItemKind, Labelled, World, WorldData
from mezzanine_recipes_distill.config import SymmetryDistillConfig
from mezzanine_recipes_distill.facts import check_splits
from mezzanine_recipes_distill.framing import FramedEdits, framed_edits


@dataclass(frozen=True, eq=False)
class Inputs:
    """A world's splits, views of their items, and what encodes the views.

    Attributes:
        world: The world.
        symmetry: What the views are equal under.
        encoder: What makes latents of the views.
        scorer: What makes log-probabilities of the choices of them, where the base model is the
            encoder's own belief; it shares the encoder's weights.
        choices: The choices, one for each label; empty without a scorer.
        data: What the world loaded to.
        train: Training items.
        test: Test items.
        train_views: Views of the training items.
        test_views: Views of the test items.
        edits: The edits of the positive control; ``None`` where none are asked for.
    """

    world: World[Any]
    symmetry: Symmetry[Any, Any, Any]
    encoder: Encoder[Any]
    scorer: Encoder[Any] | None
    choices: tuple[str, ...]
    data: WorldData
    train: Labelled
    test: Labelled
    train_views: SplitViews
    test_views: SplitViews
    edits: FramedEdits | None

    def requests(self) -> list[LatentRequest]:
        """Everything that is encoded: views and edits, for latents and, where wanted, choices."""
        sides = {"train": self.train_views.column, "test": self.test_views.column}
        if self.edits is not None:
            sides["edits"] = self.edits.views().column
        found = [
            LatentRequest(f"{name}/views", column, self.encoder) for name, column in sides.items()
        ]
        if self.scorer is not None:
            found += [
                LatentRequest(f"{name}/choices", column, self.scorer)
                for name, column in sides.items()
            ]
        return found


def load_inputs(config: SymmetryDistillConfig, ctx: RunContext) -> Inputs:
    """Load the world's splits and draw views of their items; encodes nothing.

    Raises:
        ConfigError: If the encoder does not take the world's items, cannot score choices that the
            base model is to be, or the edits are not of the world's form.
        DataError: If the world cannot give labelled splits ``train`` and ``test``, the symmetry
            does not act on their items, they allow no answer, or the edits cannot be read.
        UnknownNameError: If there are no edits of the name that is given.
    """
    world, encoder = ctx.world(config.world), ctx.encoder(config.encoder)
    symmetry = ctx.symmetry(config.symmetry)
    data = world.load()
    train, test = data.labelled("train"), data.labelled("test")
    for name, split in (("train", train), ("test", test)):
        check_kind(config, encoder, split.input.kind, name)
    choices = choices_of(config, train.label_names)
    scorer = make_scorer(config, encoder, choices)
    edits = None if config.edits is None else framed_edits(config.edits, world, test)
    train_views, test_views = (
        draw_views(split, symmetry, k, config.seed, ctx.executor)
        for split, k in ((train, config.k_train), (test, config.k_test))
    )
    check_splits(train, test, test_views.groups)
    return Inputs(
        world=world,
        symmetry=symmetry,
        encoder=encoder,
        scorer=scorer,
        choices=choices,
        data=data,
        train=train,
        test=test,
        train_views=train_views,
        test_views=test_views,
        edits=edits,
    )


def check_kind(
    config: SymmetryDistillConfig, encoder: Encoder[Any], kind: ItemKind, what: str
) -> None:
    """Refuse items that an encoder does not take.

    Raises:
        ConfigError: If it does not.
    """
    if kind not in encoder.accepts:
        raise ConfigError(
            f"the encoder {config.encoder.name!r} takes {_listed(encoder.accepts)} items, but "
            f"{what} of the world {config.world.name!r} holds {kind} items",
            hint="Name another encoder; `mezz list encoders` shows what is installed.",
        )


def choices_of(config: SymmetryDistillConfig, label_names: Sequence[str]) -> tuple[str, ...]:
    """The answer that stands for each label where the base model chooses; else none.

    Raises:
        ConfigError: If there is not one for each label.
    """
    if config.belief != "choices":
        return ()
    # A choice that is a word of its own begins with a space: prompts do not end in one.
    choices = config.choices or tuple(f" {name}" for name in label_names)
    if len(choices) != len(label_names):
        raise ConfigError(
            f"{len(choices)} choices {list(choices)} for the {len(label_names)} labels "
            f"{list(label_names)}",
            hint="Give one answer for each label, in the order of the labels.",
        )
    return choices


def make_scorer(
    config: SymmetryDistillConfig, encoder: Encoder[Any], choices: Sequence[str]
) -> Encoder[Any] | None:
    """What scores the choices, where the base model is the encoder's own belief.

    Raises:
        ConfigError: If the encoder has no belief of its own.
    """
    if config.belief != "choices":
        return None
    if not isinstance(encoder, ScoresChoices):
        raise ConfigError(
            f"belief=choices, but the encoder {config.encoder.name!r} has no answers of its own",
            hint="Use a causal language model (hf_causal_lm), or belief=head.",
        )
    return encoder.choice_encoder(choices)


def _listed(kinds: frozenset[Any]) -> str:
    return " or ".join(sorted(kinds)) or "no"
