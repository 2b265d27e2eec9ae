"""The study: what is kept in its file, and which points it gives."""

import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.trial import TrialState

from mezzanine_core.errors import DataError
from mezzanine_core.tuning.space import Dimension
from mezzanine_core.tuning.study import RECORD, Trials, chosen, ended, importance, open_study

LINE = (Dimension("x", "float", "0:1", low=0, high=1),)
GRID = (
    Dimension("n", "int", "1:3", low=1, high=3),
    Dimension("side", "choice", "a|b", ("a", "b")),
)
IDENTITY = {"recipe": "toy", "settings": {"n": 1}}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "study.journal"


@pytest.fixture
def new_study():
    """Begins a study in memory, for what does not hang on the file, which is slow to write."""
    return lambda: optuna.create_study(direction="maximize")


def finish(study, trial, value=1.0, **constraints):
    for name, violation in constraints.items():
        trial.set_constraint(name, violation)
    study.tell(trial, value)


def draw(study, space, count, wanted=100, seed=0):
    """Begins and finishes some trials, and returns their points."""
    trials, drawn = Trials(study, space, wanted, seed), []
    for _ in range(count):
        trial = trials.next()
        drawn.append(dict(trial.params))
        finish(study, trial)
    return drawn


def test_a_study_is_continued_from_its_file(path):
    first = draw(open_study(path, IDENTITY), LINE, 3)
    study = open_study(path, IDENTITY)
    assert [trial.params for trial in ended(study)] == first
    trials = Trials(study, LINE, 4, seed=0)
    assert trials.left == 1
    finish(study, trials.next())
    assert trials.next() is None


def test_a_continued_study_does_not_draw_the_same_points_again(path):
    first = draw(open_study(path, IDENTITY), LINE, 5)
    again = draw(open_study(path, IDENTITY), LINE, 5)
    assert len({point["x"] for point in first + again}) == 10


def test_the_same_seed_draws_the_same_points(new_study):
    one, other, third = (draw(new_study(), LINE, 12, seed=seed) for seed in (3, 3, 4))
    assert one == other
    assert one != third


@pytest.mark.parametrize(
    ("identity", "words"),
    [
        ({**IDENTITY, "recipe": "other"}, "recipe was toy, is other"),
        ({"recipe": "toy", "settings": {"n": 2}}, "settings.n was 1, is 2"),
        ({"recipe": "toy", "settings": {"n": 1, "m": 3}}, "settings.m was None, is 3"),
    ],
)
def test_a_study_with_other_settings_is_refused_with_what_differs(path, identity, words):
    open_study(path, IDENTITY)
    with pytest.raises(DataError) as raised:
        open_study(path, identity)
    assert words in raised.value.message


def test_a_file_that_is_no_study_is_refused(path):
    path.write_text("thesis\n")
    with pytest.raises(DataError, match="cannot be read"):
        open_study(path, IDENTITY)


def test_an_entry_that_was_cut_off_is_dropped_and_the_rest_is_kept(path, caplog):
    study = open_study(path, IDENTITY)
    points = draw(study, LINE, 2)
    with path.open("ab") as file:
        file.write(b'{"op_code":4,"wor')
    study = open_study(path, IDENTITY)
    assert "incomplete" in caplog.text
    draw(study, LINE, 1)
    assert [trial.params for trial in ended(open_study(path, IDENTITY))][:2] == points


def test_the_lock_of_a_process_that_was_killed_is_no_hindrance(path):
    open_study(path, IDENTITY)
    path.with_name("study.journal.lock").touch()
    assert draw(open_study(path, IDENTITY), LINE, 1)


def test_a_trial_that_was_killed_does_not_count_and_its_point_is_tried_first(path):
    study = open_study(path, IDENTITY)
    draw(study, LINE, 1)
    killed = Trials(study, LINE, 5, seed=0).next()
    study = open_study(path, IDENTITY)
    assert len(ended(study)) == 1
    again = Trials(study, LINE, 5, seed=0).next()
    assert again.params == killed.params
    assert again.number != killed.number


def test_a_small_space_is_tried_out_whole_each_point_once(new_study):
    study = new_study()
    trials = Trials(study, GRID, 20, seed=0)
    assert trials.wanted == 6
    points = []
    while trial := trials.next():
        points.append(tuple(trial.params.values()))
        finish(study, trial)
    assert sorted(points) == [(n, side) for n in (1, 2, 3) for side in "ab"]


def test_more_trials_than_before_complete_a_small_space(path):
    first = draw(open_study(path, IDENTITY), GRID, 4, wanted=4)
    rest = draw(open_study(path, IDENTITY), GRID, 2, wanted=6)
    points = {tuple(point.values()) for point in first + rest}
    assert len(points) == 6
    assert Trials(open_study(path, IDENTITY), GRID, 50, seed=0).next() is None


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 1000))
def test_no_point_of_a_space_of_few_is_drawn_twice(seed):
    study = optuna.create_study(direction="maximize")
    points = draw(study, GRID, 5, wanted=5, seed=seed)
    assert len({tuple(point.values()) for point in points}) == 5


def test_points_are_those_of_the_range_to_the_last_digit(new_study):
    study, tenths = new_study(), Dimension("x", "float", "0:1:0.1", low=0, high=1, step=0.1)
    trials, drawn = Trials(study, [tenths], 8, seed=0), []
    while trial := trials.next():
        drawn.append(trials.point(trial)["x"])
        finish(study, trial, -drawn[-1])
    assert set(drawn) <= {number / 10 for number in range(11)}
    assert len(set(drawn)) == 8


effects = st.lists(st.tuples(st.floats(-1, 1), st.floats(-1, 1)), min_size=1, max_size=8)


@settings(deadline=None, max_examples=25)
@given(effects)
def test_the_largest_effect_among_those_that_meet_the_constraints_is_chosen(found):
    study = optuna.create_study(direction="maximize")
    trials = Trials(study, LINE, 100, seed=0)
    for effect, violation in found:
        finish(study, trials.next(), effect, dead=violation)
    qualified = [effect for effect, violation in found if violation <= 0]
    best = chosen(study)
    assert (best is None) == (not qualified)
    if best is not None:
        assert best.value == max(qualified)


def test_pruned_and_failed_trials_are_not_chosen(new_study):
    study = new_study()
    trials = Trials(study, LINE, 100, seed=0)
    study.tell(trials.next(), state=TrialState.PRUNED)
    failed = trials.next()
    failed.set_user_attr(RECORD, {})
    study.tell(failed, state=TrialState.FAIL)
    assert chosen(study) is None
    assert len(ended(study)) == 2


def test_importance_is_that_of_optuna_once_enough_trials_are_complete(new_study):
    study = new_study()
    trials = Trials(study, GRID, 6, seed=0)
    assert importance(study, 5) == {}
    while trial := trials.next():
        finish(study, trial, float(trial.params["n"]))
    shares = importance(study, 5)
    assert shares == optuna.importance.get_param_importances(study)
    assert max(shares, key=shares.get) == "n"


def test_effects_that_are_all_the_same_make_nothing_important(new_study):
    study = new_study()
    draw(study, LINE, 6)
    assert importance(study, 5) == {}
