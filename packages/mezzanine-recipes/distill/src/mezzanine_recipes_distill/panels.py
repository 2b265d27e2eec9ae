"""The panels of a report: each a small vector picture with what is to be seen in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mezzanine_core import presentation
from mezzanine_recipes_distill.evaluation import TEACHER
from mezzanine_recipes_distill.plots import (
    Picture,
    draw_distribution,
    draw_plane,
    draw_reliability,
    draw_seeds,
    draw_teacher,
    handles_of,
    models_of,
)
from mezzanine_recipes_distill.vectors import panel

_SMALL = 9


def panels(picture: Picture) -> Iterator[tuple[presentation.Picture, Figure]]:
    """What a report says of each panel, and the panel.

    Args:
        picture: What is drawn of the run.
    """
    models = models_of(picture)
    gaps = [model for model in models if model != TEACHER]
    sure = [model for model in models if model in picture.reliability]
    yield _SEEDS, panel(lambda axes: draw_seeds(axes, picture))
    yield _PLANE, panel(_with_legend(draw_plane, picture, models))
    yield _DISTRIBUTION, panel(_with_legend(draw_distribution, picture, gaps))
    yield _RELIABILITY, _reliability(picture, sure)
    yield _TEACHER, panel(lambda axes: draw_teacher(axes, picture))


def _with_legend(
    draw: Callable[[Axes, Picture], None], picture: Picture, models: Sequence[str]
) -> Callable[[Axes], None]:
    """Draws a panel with a legend below it."""

    def drawn(axes: Axes) -> None:
        draw(axes, picture)
        _legend(axes.get_figure(root=True), models)

    return drawn


def _legend(figure: Figure | None, models: Sequence[str]) -> None:
    assert figure is not None
    figure.legend(
        handles=handles_of(models),
        loc="outside lower center",
        ncols=3,
        fontsize=_SMALL,
        frameon=False,
    )


def _reliability(picture: Picture, models: Sequence[str]) -> Figure:
    figure = Figure(figsize=(4.6, 4.4), layout="constrained")
    curve, counts = figure.subplots(2, 1, sharex=True, height_ratios=[2.4, 1])
    draw_reliability(curve, counts, picture)
    curve.set_title("")
    _legend(figure, models)
    return figure


_SEEDS = presentation.Picture(
    file="plots/gap_by_seed.svg",
    title="Warrant gap before and after, for each seed",
    caption="How far answers move between two views that mean the same. A student must fall below "
    "its control, the base made as unsure as the student: what lies between base and control is "
    "bought by doubt alone. Large marks: mean over seeds with their intervals, over items and "
    "seeds; small marks and lines: single seeds.",
    alt="For each student: the gap of the base, of the control and of the student. The figures are "
    "in the table of results as gap.",
)
_PLANE = presentation.Picture(
    file="plots/gap_and_accuracy.svg",
    title="Gap against accuracy",
    caption="Best is top left: steady and right. Bars are intervals over items and seeds, small "
    "marks single seeds. The teacher averages all views, so it has no gap.",
    alt="Accuracy of each model over its gap. The figures are in the table of results.",
)
_DISTRIBUTION = presentation.Picture(
    file="plots/gap_distribution.svg",
    title="Gaps of single items",
    caption="A line further to the left and above is better. Where it starts high, that share of "
    "the items has no gap at all. Dashed: controls. Mean over seeds.",
    alt="A rising line for each model: share of test items with a gap up to g.",
)
_RELIABILITY = presentation.Picture(
    file="plots/reliability.svg",
    title="Reliability",
    caption="On the dotted line a model is right as often as it is sure. Above it the model is too "
    "modest, below it too sure. Beneath: predictions in each bin, on a logarithmic axis. All seeds "
    "together.",
    alt="Share of right answers over confidence for each model, and the number of predictions by "
    "confidence. The expected calibration error is in the table of results as ece.",
)
_TEACHER = presentation.Picture(
    file="plots/teacher_by_views.svg",
    title="The teacher by its number of views",
    caption="How much averaging over more views helps. Where the line is flat, a student has no "
    "accuracy to win, only steadiness. The band is the interval.",
    alt="Accuracy of the teacher over the number of views that it averages, on a logarithmic axis.",
)
