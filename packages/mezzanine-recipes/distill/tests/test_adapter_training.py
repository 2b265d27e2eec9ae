import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch

from mezzanine_core.calibration import softmax
from mezzanine_core.errors import ConfigError, LatentError
from mezzanine_core.progress import Progress
from mezzanine_core.warrant import logit_spread, orbit_average, pairwise_total_variation
from mezzanine_recipes_distill.adapter_checkpoints import Checkpoints
from mezzanine_recipes_distill.adapter_training import adapter_steps

STILL = 1e-12
"""A learning rate that changes nothing to speak of."""


@pytest.fixture(scope="module")
def toys():
    """A small transformer, what it is taught, and how it is trained."""
    import adapter_toys  # in toy_site

    return adapter_toys


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def reference_loss(student, taught, label_weight, consistency):
    """The loss where every item has at most two views, by its formula."""
    losses = []
    starts = taught.groups.starts()
    texts = [
        text
        for _, batch in taught.column.fetch(np.arange(len(taught.column)), None)
        for text in batch
    ]
    logits = student.logits(texts)
    for item, (start, size) in enumerate(zip(starts, taught.groups.sizes, strict=True)):
        views = logits[start : start + size]
        target, label = taught.targets[item], taught.label[item]
        p = softmax(views)
        kl = (target * (np.log(target) - np.log(p))).sum(axis=1).mean()
        entropy = -np.log(p[:, label]).mean()
        loss = (1 - label_weight) * kl + label_weight * entropy
        if size == 2:
            centred = views - views.mean(axis=1, keepdims=True)
            loss += consistency * ((centred[0] - centred[1]) ** 2).mean()
        losses.append(loss)
    return np.mean(losses)


@pytest.mark.parametrize(("label_weight", "consistency"), [(0.0, 0.0), (0.0, 2.0), (0.3, 0.5)])
def test_loss_is_the_divergence_and_the_labels_and_the_difference_of_logits(
    toys, label_weight, consistency
):
    student = toys.make_student(
        lr=STILL, epochs=1, batch_items=4, label_weight=label_weight, consistency=consistency
    )
    taught, validation = toys.make_taught([2, 1, 2, 2, 1, 2, 2]), toys.make_taught([1, 2], seed=1)
    curves = toys.train(student, taught, validation)
    for losses, part in ((curves.train, taught), (curves.validation, validation)):
        expected = reference_loss(student, part, label_weight, consistency)
        assert losses == [pytest.approx(expected, rel=1e-4)]


def test_training_teaches_beliefs_that_hang_less_on_the_view(toys):
    taught, validation = toys.make_taught([4] * 120), toys.make_taught([4] * 30, seed=1)
    unseen = toys.make_taught([4] * 40, seed=2)

    def figures(student):
        logits = student.column_logits(unseen.column, None)
        p = softmax(logits)
        targets = unseen.groups.repeat(unseen.targets)
        divergence = (targets * np.log(targets / p)).sum(axis=1).mean()
        gap = pairwise_total_variation(p, unseen.groups).mean()
        return np.array([divergence, gap, logit_spread(logits, unseen.groups).ratio()])

    student = toys.make_student(epochs=12, layers=3, rank=8, patience=12)
    before = figures(student)
    curves = toys.train(student, taught, validation)
    assert curves.validation[curves.best] < curves.validation[0]
    assert (figures(student) < before / 2).all()


def test_equal_seeds_give_equal_weights(toys):
    states = []
    for _ in range(2):
        student = toys.make_student(batch_items=4)
        toys.train(student, toys.make_taught([3] * 10), toys.make_taught([2] * 4, seed=1))
        states.append(student.state())
    assert same(*states)
    assert not same(states[0], toys.make_student().state())


def test_parts_of_a_step_change_the_outcome_by_rounding_only(toys):
    logits = []
    taught, validation = toys.make_taught([3] * 12), toys.make_taught([2] * 4, seed=1)
    for parts in (1, 3, 20):
        student = toys.make_student(batch_items=6, accumulate=parts)
        toys.train(student, taught, validation)
        logits.append(student.column_logits(taught.column, None))
    np.testing.assert_allclose(logits[1], logits[0], atol=2e-3)
    np.testing.assert_allclose(logits[2], logits[0], atol=2e-3)
    assert np.abs(logits[0] - toys.make_student().column_logits(taught.column, None)).max() > 0.1


def test_each_epoch_has_every_item_once_with_two_distinct_views_at_random(toys):
    trainable = toys.ToyTrainable()
    epochs, views = 60, 3
    student = toys.make_student(
        trainable, lr=STILL, epochs=epochs, batch_items=1, patience=epochs, layers=1
    )
    taught = toys.make_taught([views, 1, views])
    toys.train(student, taught, toys.make_taught([1], seed=1))
    texts = [text for _, batch in taught.column.fetch(np.arange(7), None) for text in batch]
    row = {tokens: index for index, tokens in enumerate(toys.ToyTrainable().prepare(texts))}
    steps = [tuple(row[tokens] for tokens in one) for one in trainable.passes if one[0] in row]
    assert len(steps) == 3 * epochs
    item = np.array([0, 0, 0, 1, 2, 2, 2])
    orders = set()
    for epoch in range(epochs):
        some = steps[3 * epoch : 3 * epoch + 3]
        assert sorted(item[pair[0]] for pair in some) == [0, 1, 2]
        orders.add(tuple(item[pair[0]] for pair in some))
    assert len(orders) == 6
    counts = Counter(steps)
    assert counts.pop((3,)) == epochs
    assert set(counts) == {
        (a, b) for a in range(7) for b in range(7) if a != b and item[a] == item[b] != 1
    }
    # 6 ordered pairs in 60 draws: 10 ± 2.9, so within four standard deviations.
    assert max(counts.values()) <= 22


def test_views_of_a_batch_are_of_similar_length(toys):
    trainable = toys.ToyTrainable()
    student = toys.make_student(trainable, epochs=1, batch_items=8, layers=1)
    toys.train(student, toys.make_taught([2] * 128), toys.make_taught([1], seed=1))
    lengths = [[len(tokens) for tokens in one] for one in trainable.passes if len(one) == 16]
    assert len(lengths) == 16
    padded = sum(len(some) * max(some) for some in lengths)
    assert padded < 1.1 * sum(map(sum, lengths))
    longest = [max(some) for some in lengths]
    assert any(a < b for a, b in pairwise(longest))
    assert any(a > b for a, b in pairwise(longest))


def test_views_are_prepared_once(toys):
    trainable = toys.ToyTrainable()
    student = toys.make_student(trainable, epochs=3)
    toys.train(student, toys.make_taught([3] * 6), toys.make_taught([2] * 4, seed=1))
    assert trainable.prepared == 6 * 3 + 4 * 2


def test_progress_ends_at_the_number_of_steps(toys):
    student = toys.make_student(epochs=3, batch_items=4, patience=3)
    done = []
    progress = Progress(quiet=True)
    with progress.checked(lambda: done.append(1)):
        toys.train(
            student, toys.make_taught([2] * 9), toys.make_taught([2], seed=1), None, progress
        )
    assert len(done) == adapter_steps(9, student.settings) == 9


def contrary(toys):
    """Training items, and the same to validate by, of which nothing new is to be learnt."""
    taught = toys.make_taught([2] * 16)
    base = softmax(toys.make_student().column_logits(taught.column, None))
    return taught, replace(taught, targets=orbit_average(base, taught.groups))


def test_weights_of_the_best_epoch_are_kept(toys):
    taught, validation = contrary(toys)
    student = toys.make_student(lr=1e-3, epochs=6, batch_items=4, patience=6, consistency=0.0)
    curves = toys.train(student, taught, validation)
    assert len(curves.train) == len(curves.validation) == 6
    assert curves.best == int(np.argmin(curves.validation)) < 5
    kept = reference_loss(student, validation, 0.0, 0.0)
    assert kept == pytest.approx(curves.validation[curves.best], rel=1e-4)


def test_training_ends_when_it_has_not_become_better_for_a_while(toys):
    student = toys.make_student(lr=1e-3, epochs=40, batch_items=4, patience=2, consistency=0.0)
    curves = toys.train(student, *contrary(toys))
    assert len(curves.validation) == curves.best + 3 < 40


@pytest.mark.parametrize("batch_items", [2, 8])
def test_divergence_is_told(toys, batch_items):
    student = toys.make_student(lr=1e30, epochs=1, batch_items=batch_items)
    with pytest.raises(LatentError, match="no longer finite") as caught:
        toys.train(student, toys.make_taught([2] * 8), toys.make_taught([2], seed=1))
    assert "adapter_lr" in caught.value.hint


class _StopError(Exception):
    pass


def stopped_after(steps):
    """Progress that ends the work once so many steps are taken."""
    left = iter(range(steps))

    def check():
        if next(left, None) is None:
            raise _StopError

    progress = Progress(quiet=True)
    progress.checkpoint = check
    return progress


@pytest.mark.parametrize("steps", range(9))
def test_training_resumed_after_any_step_ends_as_if_never_stopped(toys, tmp_path, steps):
    settings = {"epochs": 3, "batch_items": 4, "gradient_checkpointing": steps == 4}
    taught, validation = toys.make_taught([3] * 10), toys.make_taught([2] * 4, seed=1)
    whole = toys.make_student(**settings)
    expected = toys.train(whole, taught, validation)

    def checkpoints():
        return Checkpoints(tmp_path / "adapter.pt", {"seed": 0}, minutes=0)

    with pytest.raises(_StopError):
        toys.train(
            toys.make_student(**settings), taught, validation, checkpoints(), stopped_after(steps)
        )
    assert (tmp_path / "adapter.pt").exists() == (steps > 0)
    student = toys.make_student(**settings)
    curves = toys.train(student, taught, validation, checkpoints())
    assert (curves.train, curves.validation, curves.best) == (
        expected.train,
        expected.validation,
        expected.best,
    )
    assert same(student.state(), whole.state())


def test_a_finished_training_is_not_repeated(toys, tmp_path):
    taught, validation = toys.make_taught([3] * 10), toys.make_taught([2] * 4, seed=1)
    first = toys.make_student()
    toys.train(first, taught, validation, Checkpoints(tmp_path / "adapter.pt", {}))
    trainable = toys.ToyTrainable()
    second = toys.make_student(trainable)
    toys.train(second, taught, validation, Checkpoints(tmp_path / "adapter.pt", {}))
    assert same(first.state(), second.state())
    assert trainable.passes == []


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda toys, given: (toys.make_student(lr=0.5), *given), "lr was 0.01 and is 0.5"),
        (lambda toys, given: (toys.make_student(seed=3), *given), "initial weights"),
        (
            lambda toys, given: (toys.make_student(), toys.make_taught([3] * 9), given[1]),
            "train was",
        ),
        (lambda toys, given: (toys.make_student(), given[0], given[0]), "validation was"),
    ],
    ids=["settings", "seed", "data", "validation"],
)
def test_the_checkpoint_of_another_training_is_refused(toys, tmp_path, change, named):
    given = toys.make_taught([3] * 10), toys.make_taught([2] * 4, seed=1)
    path = tmp_path / "adapter.pt"
    toys.train(toys.make_student(), *given, Checkpoints(path, {}))
    with pytest.raises(ConfigError, match=named):
        toys.train(*change(toys, given), Checkpoints(path, {}))


def test_a_killed_process_resumed_ends_with_the_weights_of_one_that_was_not(toys, tmp_path):
    path = tmp_path / "adapter.pt"
    epochs = 25
    command = [sys.executable, toys.__file__, str(path), str(epochs)]
    with subprocess.Popen(command) as process:
        try:
            deadline = time.monotonic() + 60
            while not path.exists() and process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.005)
        finally:
            process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    steps = Checkpoints(path, {})
    left = torch.load(path, weights_only=True)["state"]["steps"]
    assert 0 < left < epochs * 5
    data = toys.make_taught([3] * 20), toys.make_taught([2] * 6, seed=1)
    states = []
    for checkpoints in (None, Checkpoints(path, {"seed": 0})):
        student = toys.make_student(epochs=epochs, batch_items=4)
        toys.train(student, *data, checkpoints)
        states.append(student.state())
    assert same(*states)
    steps.remove()
