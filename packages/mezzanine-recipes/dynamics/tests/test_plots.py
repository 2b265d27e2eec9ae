import numpy as np
import pytest

from mezzanine_core.results import Estimate, Verdict
from mezzanine_recipes_dynamics.evaluation import METRICS, Evaluation
from mezzanine_recipes_dynamics.plots import LOOKS, diagnostics_figure
from mezzanine_recipes_dynamics.training import Curves

CANDIDATES = 64


@pytest.fixture
def evaluation():
    rng = np.random.default_rng(0)
    return Evaluation(
        scores={
            model: {"rank": rng.integers(1, CANDIDATES + 1, (2, 1, CANDIDATES)).astype(float)}
            for model in LOOKS
        },
        unchanged=0.0,
    )


@pytest.fixture
def metrics():
    return {
        model: {
            metric.name: Estimate(value=0.5, low=0.4, high=0.7, per_seed=(0.45, 0.55))
            for metric in METRICS
        }
        for model in LOOKS
    }


def curves(held_out=True):
    losses = np.random.default_rng(0).uniform(0.1, 1, (2, 2, 5))
    return Curves(steps=(1, 2, 3, 4, 5), train=losses, held_out=losses * 2 if held_out else None)


VERDICT = Verdict(label="MAKE", sentence="the model uses the action", warnings=("few episodes",))


@pytest.fixture
def figure(evaluation, metrics):
    return diagnostics_figure(metrics, evaluation, curves(), VERDICT)


def panel(figure, label):
    (found,) = (axes for axes in figure.axes if label in axes.get_xlabel())
    return found


def test_verdict_and_its_warnings_are_in_the_title(figure):
    assert "MAKE: the model uses the action" in figure.get_suptitle()
    assert "Warning: few episodes" in figure.get_suptitle()


def test_every_axis_is_labelled(figure):
    assert len(figure.axes) == 7
    for axes in figure.axes:
        assert axes.get_xlabel()
    leftmost = figure.axes[0]
    assert leftmost.get_ylabel() == "Model"
    for axes in figure.axes[4:]:
        assert axes.get_ylabel()


def test_direction_of_every_metric_is_said(figure):
    labels = [axes.get_xlabel() for axes in figure.axes[:4]]
    assert ["lower is better" in label for label in labels] == [False, False, True, False]
    assert all("lower" in label or "higher" in label for label in labels)


def test_error_bars_are_the_intervals_and_are_explained(figure):
    axes = panel(figure, "R@10")
    (segments,) = {
        tuple(map(tuple, collection.get_segments()[0][:, :1]))
        for collection in axes.collections
        if hasattr(collection, "get_segments")
    }
    assert [end for (end,) in segments] == pytest.approx([0.4, 0.7])
    caption = figure.subfigs[0].get_suptitle()
    assert "95% interval" in caption
    assert "episode" in caption
    assert "chance" in caption


def test_models_are_named_in_words_and_in_colours_of_their_own(figure):
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert sorted(names) == sorted(look.label for look in LOOKS.values())
    assert len({look.colour for look in LOOKS.values()}) == len(LOOKS)
    assert len({look.marker for look in LOOKS.values()}) == len(LOOKS)


def test_chance_lines_are_those_of_the_candidates(figure):
    def chance(label):
        (line,) = (line for line in panel(figure, label).lines if line.get_linestyle() == ":")
        return line.get_xdata()[0]

    assert chance("R@10") == pytest.approx(10 / CANDIDATES)
    assert chance("Mean rank") == pytest.approx((CANDIDATES + 1) / 2)
    assert chance("reciprocal") == pytest.approx((1 / np.arange(1, CANDIDATES + 1)).mean())


def test_rank_panels_are_logarithmic_and_hold_all_samples(figure, evaluation):
    histogram, cumulative = figure.axes[4:6]
    assert histogram.get_xscale() == cumulative.get_xscale() == "log"
    for patch in histogram.patches:
        assert patch.get_data().values.sum() == pytest.approx(1.0)
    ranks, counts = np.unique(evaluation.scores["action"]["rank"], return_counts=True)
    assert (cumulative.lines[0].get_xdata() == ranks).all()
    assert cumulative.lines[0].get_ydata() == pytest.approx(counts.cumsum() / counts.sum())
    assert cumulative.lines[0].get_ydata()[-1] == 1.0


def test_curves_of_both_models_are_drawn_with_and_without_held_out(evaluation, metrics, figure):
    labels = [text.get_text() for text in figure.axes[6].get_legend().get_texts()]
    assert labels == [
        "action, training",
        "action, held out",
        "no action, training",
        "no action, held out",
    ]
    without = diagnostics_figure(metrics, evaluation, curves(held_out=False), VERDICT)
    assert len(without.axes[6].lines) == 2


def test_figure_is_written_without_a_display(figure, tmp_path):
    figure.savefig(tmp_path / "figure.png", dpi=50)
    assert (tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG")
