import re
import textwrap
from pathlib import Path

from mezzanine_worlds_gymnasium.config import GymnasiumConfig

README = (Path(__file__).parents[1] / "README.md").read_text()


def test_every_setting_is_described_with_its_default() -> None:
    rows = re.findall(r"^\| (`[a-z_`, ]+) \| ([^|]+) \|", README, re.MULTILINE)
    described = {}
    for names, defaults in rows:
        each = re.findall(r"\w+", names)
        described |= dict(zip(each, defaults.strip().split(", "), strict=True))
    fields = GymnasiumConfig.model_fields
    assert described.keys() == fields.keys() - {"name"}
    for name, text in described.items():
        default = fields[name].default
        assert text.strip("`").replace(",", "") == str(default).replace(".0", ""), name


def test_the_example_of_acting_runs() -> None:
    block = README.split("for planners that play their plans:\n")[1].split("\nVectors are")[0]
    scope: dict = {}
    exec(textwrap.dedent(block), scope)
    assert scope["solved"] is False
    assert scope["info"]["steps"] == 4
