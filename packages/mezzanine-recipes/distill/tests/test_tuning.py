"""What ``--autotune`` searches: how the student of the verdict is trained."""

import json

import pytest

from mezzanine_core.cli import main
from mezzanine_core.tuning.figures import find_figure
from mezzanine_recipes_distill.config import STUDENTS
from mezzanine_recipes_distill.tuning import tunable


@pytest.mark.parametrize("student", STUDENTS)
def test_the_space_of_each_student_is_one_that_its_recipe_takes(student, capsys, monkeypatch):
    monkeypatch.setenv("MEZZ_PLUGINS", "mezzanine-recipes-distill,distill-test-parts")
    parts = ("--world", "tales", "--encoder", "reader", "--students", student)
    code = main(["run", "symmetry_distill", *parts, "--autotune", "--dry-run", "--json"])
    assert code == 0
    plan = json.loads(capsys.readouterr().out)
    assert plan["space"]
    assert plan["effect"] == f"{student}_vs_control.gap_reduction"
    assert plan["rungs"][0] == {"seeds": "0", "world.n_train": "40"}


def test_the_figures_are_those_of_a_run(run, make_config):
    record, _ = run(students="projection,head,latent")
    for student in ("projection", "head", "latent"):
        own = tunable(make_config(students=(student,)))
        assert find_figure(record, own.baseline).value == record.metrics["base"]["gap"].value
        assert find_figure(record, own.effect).per_seed
