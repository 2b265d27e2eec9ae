"""What a report shows of a run of this recipe."""

import pytest


@pytest.fixture
def planned(run):
    """A run on images that plans and plays nothing."""
    record, out = run(train_steps=40, do_planning=True, plan_eval=20, do_cem=True, cem_eval=4)
    return record, out


def test_every_picture_is_written_and_says_what_to_see(planned):
    record, out = planned
    files = [one.file for one in record.presentation.pictures]
    assert files == [
        "plots/cumulative_ranks.svg",
        "plots/ranks.svg",
        "plots/training.svg",
        "plots/retrieval_ranks.svg",
        "plots/plan_energies.svg",
    ]
    assert set(files) <= set(record.artifacts)
    assert all(one.caption and one.alt and one.title for one in record.presentation.pictures)
    page = (out / "report.html").read_text("utf-8")
    assert all(one.title in page for one in record.presentation.pictures)
    assert "cannot be" not in page


def test_every_model_comparison_and_metric_is_explained_and_in_one_group(planned):
    record, _ = planned
    said = record.presentation
    models = [name for group in said.groups for name in group.models]
    deltas = [name for group in said.groups for name in group.deltas]
    assert sorted(models) == sorted(record.metrics)
    assert sorted(deltas) == sorted(record.deltas)
    metrics = {metric for of_one in record.metrics.values() for metric in of_one}
    assert {*models, *metrics} <= said.words.keys()


def test_a_report_is_small(planned):
    _, out = planned
    assert (out / "report.html").stat().st_size < 1_500_000
