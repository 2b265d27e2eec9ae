"""The README says what is so."""

import re
from pathlib import Path

from mezzanine_worlds_hopper.config import HopperConfig
from mezzanine_worlds_hopper.episodes import play

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def test_every_setting_is_described_with_its_default() -> None:
    described = {}
    for names, defaults in re.findall(r"^\| (`[a-z_`, ]+) \| ([^|]+) \|", README, re.MULTILINE):
        values = defaults.replace(",0", "0").strip().strip("`").split(", ")
        described |= dict(zip(re.findall(r"\w+", names), values, strict=True))
    fields = HopperConfig.model_fields
    assert described.keys() == fields.keys() - {"name"}
    for name, text in described.items():
        default = fields[name].default
        assert (text if isinstance(default, str) else float(text)) == default, name


def test_as_many_robots_fall_as_is_said() -> None:
    episodes = play(HopperConfig(), "train", range(500), hops=8)
    fell = sum(len(episode.commands) < 8 for episode in episodes) / len(episodes)
    assert "one in five falls" in README
    assert 0.15 < fell < 0.25
