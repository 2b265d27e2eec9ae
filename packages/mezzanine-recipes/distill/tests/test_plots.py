import io
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from mezzanine_core.calibration import reliability, softmax
from mezzanine_core.results import Estimate, Verdict
from mezzanine_recipes_distill.evaluation import control_of
from mezzanine_recipes_distill.plots import (
    LOOKS,
    Picture,
    distillation_figure,
    look_of,
)

STUDENTS = ("adapter", "projection", "latent", "head")
ITEMS = 40
VERDICT = Verdict(
    label="MAKE",
    sentence="the student's gap is half of that of its control, " + "which is long to say " * 12,
    warnings=("28% of the texts are cut off",),
)


def estimate(per_seed, half):
    value = float(np.mean(per_seed))
    return Estimate(value=value, low=value - half, high=value + half, per_seed=tuple(per_seed))


def picture(students=STUDENTS, seeds=3, classes=2, scale=1.0, accuracy=0.8):
    rng = np.random.default_rng(0)
    models = ["base", *(name for one in students for name in (one, control_of(one)))]
    gaps = {
        model: np.minimum(scale * rng.exponential(0.05, ITEMS) * (rng.random(ITEMS) > 0.3), 1)
        for model in models
    }
    per_seed = {model: gap.mean() * rng.uniform(0.9, 1.1, seeds) for model, gap in gaps.items()}
    right = {
        model: np.clip(accuracy + rng.uniform(-0.02, 0.02, seeds), 0, 1)
        for model in [*models, "teacher"]
    }
    label = rng.integers(0, classes, 200)
    return Picture(
        gaps=gaps,
        gap_per_seed=per_seed,
        gap_intervals={model: estimate(gap, 0.2 * gap.mean()) for model, gap in per_seed.items()},
        accuracy_per_seed=right,
        accuracy_intervals={model: estimate(one, 0.03) for model, one in right.items()},
        reliability={
            model: reliability(softmax(rng.normal(size=(200, classes)) * 3), label)
            for model in ("base", "teacher", *students)
        },
        teacher_views=np.array([1, 2, 4, 6]),
        teacher_accuracy=np.full(4, accuracy),
        teacher_intervals=[estimate([accuracy], 0.02)] * 4,
        students=students,
        verdict=VERDICT,
    )


@pytest.fixture(scope="module")
def drawn():
    figure = distillation_figure(picture())
    FigureCanvasAgg(figure).draw()
    return figure


def panel(figure, title):
    (found,) = (axes for axes in figure.axes if title in axes.get_title())
    return found


def test_verdict_and_its_warnings_are_in_the_title_and_wrapped(drawn):
    lines = drawn.get_suptitle().split("\n")
    assert lines[0].startswith("MAKE: the student's gap is half")
    assert lines[-1] == "Warning: 28% of the texts are cut off"
    assert max(map(len, lines)) <= 145


def test_every_axis_is_labelled(drawn):
    assert len(drawn.axes) == 6
    for axes in drawn.axes:
        assert axes.get_ylabel()
        assert axes.get_xlabel() or not axes.xaxis.get_tick_params()["labelbottom"]


def test_a_control_looks_like_its_student_but_hollow():
    student, control = look_of("head"), look_of("head_control")
    assert (control.colour, control.marker) == (student.colour, student.marker)
    assert control.hollow
    assert not student.hollow


def test_models_have_colours_and_marks_of_their_own():
    assert len({look.colour for look in LOOKS.values()}) == len(LOOKS)
    assert len({look.marker for look in LOOKS.values()}) == len(LOOKS)


@pytest.mark.parametrize("seeds", [1, 3])
def test_a_line_joins_base_control_and_student_of_each_seed(seeds):
    shown = picture(("projection",), seeds)
    axes = panel(distillation_figure(shown), "Before and after")
    joined = [line.get_ydata() for line in axes.lines if len(line.get_xdata()) == 3][:seeds]
    models = ("base", "projection_control", "projection")
    wanted = np.stack([shown.gap_per_seed[model] for model in models], axis=1)
    np.testing.assert_array_equal(joined, wanted)


def test_a_model_without_seeds_is_joined_with_every_seed_of_a_student():
    shown = picture(("head",))
    shown = replace(shown, gap_per_seed={**shown.gap_per_seed, "base": np.array([0.5])})
    axes = panel(distillation_figure(shown), "Before and after")
    joined = [line.get_ydata() for line in axes.lines if len(line.get_xdata()) == 3]
    assert [line[0] for line in joined[:3]] == [0.5] * 3


def test_a_student_without_a_control_is_drawn_without_one():
    shown = picture(("head",))
    fields = ("gaps", "gap_per_seed", "gap_intervals", "accuracy_per_seed", "accuracy_intervals")
    without = {
        field: {m: one for m, one in getattr(shown, field).items() if m != "head_control"}
        for field in fields
    }
    figure = distillation_figure(replace(shown, **without))
    labels = panel(figure, "Before and after").get_xticklabels()
    assert [label.get_text() for label in labels] == ["base", "student"]


def test_bars_of_gaps_are_the_intervals_of_base_control_and_student():
    shown = picture(("head",))
    axes = panel(distillation_figure(shown), "Before and after")
    bars = [bar for bar in axes.collections if hasattr(bar, "get_segments")]
    ends = [bar.get_segments()[0][:, 1] for bar in bars]
    intervals = [shown.gap_intervals[model] for model in ("base", "head_control", "head")]
    np.testing.assert_allclose(ends, [(one.low, one.high) for one in intervals])


def test_the_distribution_rises_from_the_share_of_zeros_to_all_items():
    shown = picture(("head",))
    axes = panel(distillation_figure(shown), "Distribution")
    for line, gaps in zip(axes.lines, shown.gaps.values(), strict=True):
        x, y = line.get_data()
        assert y[x == 0].max() == pytest.approx((gaps == 0).mean())
        assert y[-1] == 1
        middle = np.median(gaps)
        assert y[x <= middle].max() == pytest.approx((gaps <= middle).mean())


def test_the_teacher_stands_at_a_gap_of_zero_and_the_others_at_theirs():
    shown = picture(("head",), seeds=2)
    axes = panel(distillation_figure(shown), "Gap against accuracy")
    marks = [container.lines[0].get_data() for container in axes.containers]
    for (x, y), (model, accuracy) in zip(marks, shown.accuracy_intervals.items(), strict=True):
        gap = 0.0 if model == "teacher" else shown.gap_intervals[model].value
        assert (x[0], y[0]) == (gap, accuracy.value)


def test_reliability_leaves_out_empty_bins_and_counts_every_prediction(drawn):
    shown = picture()
    curve, counts = drawn.axes[3:5]
    for line, bins in zip(curve.lines, shown.reliability.values(), strict=False):
        assert len(line.get_xdata()) == (bins.count > 0).sum()
    assert [patch.get_data().values.sum() for patch in counts.patches] == [200] * 6


def test_every_number_of_views_of_the_teacher_is_named(drawn):
    axes = panel(drawn, "The teacher")
    assert [label.get_text() for label in axes.get_xticklabels()] == ["1", "2", "4", "6"]


def test_the_legend_names_every_model(drawn):
    (legend,) = (legend for part in drawn.subfigs for legend in part.legends)
    names = [text.get_text() for text in legend.get_texts()]
    wanted = ["base", "teacher"]
    for student in STUDENTS:
        wanted += [student, f"control of {student}"]
    assert names == wanted


@pytest.mark.parametrize(
    "case",
    [
        {"students": ("head",), "seeds": 1, "classes": 4},
        {"students": STUDENTS[:2], "classes": 4, "scale": 0.0, "accuracy": 1.0},
        {"scale": 100.0, "accuracy": 0.02},
        {"scale": 1e-6},
    ],
    ids=["one student and seed", "no gap at all", "gaps of one", "gaps of rounding"],
)
def test_everything_written_lies_within_the_picture(case):
    figure = distillation_figure(picture(**case))
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    width, height = canvas.get_width_height()
    for axes in figure.axes:
        for text in (axes.title, axes.xaxis.label, axes.yaxis.label):
            box = text.get_window_extent()
            assert box.x0 >= 0
            assert box.y0 >= 0
            assert box.x1 <= width
            assert box.y1 <= height


@pytest.mark.parametrize("students", [STUDENTS, STUDENTS[:1]])
def test_names_beneath_the_first_panel_do_not_overlap(students):
    figure = distillation_figure(picture(students))
    FigureCanvasAgg(figure).draw()
    boxes = [label.get_window_extent() for label in figure.axes[0].get_xticklabels()]
    assert all(left.x1 < right.x0 for left, right in pairwise(boxes))


def test_figure_is_written_without_a_display(drawn):
    written = io.BytesIO()
    drawn.savefig(written, dpi=40)
    assert written.getvalue().startswith(b"\x89PNG")
