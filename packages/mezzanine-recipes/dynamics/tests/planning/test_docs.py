"""The blocks of docs/planning.md run in order, as they stand there."""

import re
import subprocess
import sys
from pathlib import Path

import mezzanine_recipes_dynamics.planning as planning

PAGE = Path(__file__).parents[5] / "docs" / "planning.md"
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def test_the_examples_run(tmp_path):
    code = "\n".join(BLOCK.findall(PAGE.read_text(encoding="utf-8")))
    assert code.count("assert") >= 5
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_every_planner_bound_and_setting_is_on_the_page():
    page = PAGE.read_text(encoding="utf-8")
    for name in ("CEM", "MPPI", "GradientDescent", "Box", "L1Ball", "LatentCost", "RidgeProposal"):
        assert name in planning.__all__
        assert f"`{name}" in page
    fields = set(planning.CEMSettings.__slots__) - {"num_samples", "n_steps"}
    assert [name for name in sorted(fields) if f"`{name}`" not in page] == []
