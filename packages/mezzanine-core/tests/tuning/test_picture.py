"""The picture of a tuning, where a record is unlike the usual ones."""

import matplotlib
import pytest

from mezzanine_core.tuning.picture import draw


def drawn(record, tmp_path):
    draw(record, [tmp_path / "tuning.svg"])
    return (tmp_path / "tuning.svg").read_text()


@pytest.mark.parametrize("beyond", [-0.25, 0.25])
def test_a_figure_outside_its_own_interval_is_drawn(tuned, tmp_path, beyond):
    """Bootstrap percentiles need not hold the estimate: those of a median or a rate of few."""
    record = tuned("x=3:4:1")
    first = record.trials[0]
    [run] = first.runs
    effect = run.effect.model_copy(update={"value": run.effect.most + beyond})
    odd = run.model_copy(update={"effect": effect, "baseline": effect})
    trials = (first.model_copy(update={"runs": (odd,)}), *record.trials[1:])
    assert "<svg" in drawn(record.model_copy(update={"trials": trials}), tmp_path)


def test_the_sentence_is_drawn_as_it_is(tuned, tmp_path):
    """A choice may hold what matplotlib takes for a formula."""
    record = tuned("x=3:4:1").model_copy(update={"sentence": r"Chosen: prompt=$\\price{ or $5."})
    drawn(record, tmp_path)


def test_the_picture_says_what_the_bars_are(tuned, tmp_path):
    with matplotlib.rc_context({"svg.fonttype": "none"}):
        assert "bars: 95% intervals of the runs" in drawn(tuned("x=3:4:1"), tmp_path)
