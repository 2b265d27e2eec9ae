"""What the documentation shows works as it stands there."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from mezzanine_core.plugins import load_registry

DOCS = Path(__file__).parents[3] / "docs"
BLOCK = re.compile(r"```(?P<head>[^\n]+)\n(?P<code>.*?)```", re.DOTALL)


@pytest.fixture
def documented_plugin(plugin_site):
    """The plugin of docs/plugins.md, installed from the blocks of the page."""
    page = (DOCS / "plugins.md").read_text(encoding="utf-8")
    blocks = {match["head"]: match["code"] for match in BLOCK.finditer(page)}
    for head, code in blocks.items():
        if title := re.search(r'title="([^"]+)"', head):
            plugin_site.write(title[1], code)
    plugin_site.write("mezz_mean_colour/__init__.py", "")
    entry_points = blocks["toml"].split("[project.entry-points.mezzanine]\n")[1]
    plugin_site.add_metadata(
        "mezzanine-encoders-mean-colour",
        "[mezzanine]\n" + entry_points.replace('"', ""),
        version="0.1.0",
        requires=("mezzanine-core>=0.1,<0.2", "numpy>=1.26"),
    )


@pytest.mark.usefixtures("documented_plugin")
def test_the_documented_plugin_is_found(call):
    code, out, _ = call("info", "mean_colour", "--json")
    assert code == 0
    assert json.loads(out)["distribution"] == "mezzanine-encoders-mean-colour"


@pytest.mark.usefixtures("documented_plugin")
def test_the_documented_encoder_encodes():
    component = load_registry().get("encoder", "mean_colour")
    encoder = component.create(component.spec.load_config()(scale=100))
    images = np.zeros((2, 4, 4, 3), np.uint8)
    images[1, :, :, 0] = 50
    np.testing.assert_array_equal(encoder.encode(images), np.float32([[0, 0, 0], [0.5, 0, 0]]))


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page):
    text = page.read_text(encoding="utf-8")
    targets = [target for target in re.findall(r"\]\(([^)#]+)", text) if "://" not in target]
    assert [target for target in targets if not (page.parent / target).exists()] == []
