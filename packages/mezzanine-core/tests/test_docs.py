"""What the documentation shows works as it stands there."""

import importlib
import json
import math
import re
from pathlib import Path

import numpy as np
import pytest

from mezzanine_core.builtin.configs import OrderConfig
from mezzanine_core.builtin.local import LocalConfig, LocalExecutor
from mezzanine_core.builtin.noop import NoopConfig, NoopTracker
from mezzanine_core.builtin.order import Order
from mezzanine_core.cache import LatentCache
from mezzanine_core.config import EncoderConfig
from mezzanine_core.context import RunContext
from mezzanine_core.encoders import Encoder
from mezzanine_core.plugins import load_registry
from mezzanine_core.progress import Progress
from mezzanine_core.worlds import ArrayColumn, Labelled

DOCS = Path(__file__).parents[3] / "docs"
BLOCK = re.compile(r"```(?P<head>[^\n]+)\n(?P<code>.*?)```", re.DOTALL)


@pytest.fixture
def documented_plugin(plugin_site):
    """The plugin of docs/plugins.md, installed from the blocks of the page."""
    page = (DOCS / "plugins.md").read_text(encoding="utf-8")
    blocks = {match["head"]: match["code"] for match in BLOCK.finditer(page)}
    files = {
        title[1]: code
        for head, code in blocks.items()
        if (title := re.search(r'title="([^"]+)"', head))
    }
    for name, code in files.items():
        plugin_site.write(name, code)
    plugin_site.write("mezz_mean_colour/__init__.py", "")
    entry_points = files["pyproject.toml"].split("[project.entry-points.mezzanine]\n")[1]
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


@pytest.fixture
def order_gap(plugin_site):
    """The function of docs/plugins.md that measures a gap."""
    page = (DOCS / "plugins.md").read_text(encoding="utf-8")
    plugin_site.write("order_gap.py", re.search(r'title="order_gap.py"\n(.*?)```', page, re.S)[1])
    return importlib.import_module("order_gap").order_gap


class Letters(Encoder[EncoderConfig]):
    """How early the first letters of the alphabet stand in a text."""

    accepts = frozenset({"text"})
    dim = 3

    def fingerprint(self):
        return "letters"

    def encode(self, batch):
        return np.array([[text.find(letter) for letter in "ABC"] for text in batch], np.float32)


def test_the_documented_gap_is_measured(order_gap, tmp_path):
    texts = ArrayColumn(["A is. B is. C is.", "A is."], "text")
    split = Labelled(texts, np.array([0, 1]), ("no", "yes"))
    with LocalExecutor(LocalConfig(workers=1)) as executor:
        ctx = RunContext(
            out=tmp_path,
            cache=LatentCache(tmp_path / "cache"),
            executor=executor,
            tracker=NoopTracker(NoopConfig()),
            registry=load_registry(only=[]),
            progress=Progress(quiet=True),
        )
        letters = Letters(EncoderConfig())
        gap = order_gap(ctx, split, Order(OrderConfig()), letters, lambda latents: -latents)
    assert gap[0] > 0.5
    assert gap[1] == 0
    assert ctx.counts.encoded == math.factorial(3) + 1


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=lambda page: page.stem)
def test_links_between_pages_lead_somewhere(page):
    text = page.read_text(encoding="utf-8")
    targets = [target for target in re.findall(r"\]\(([^)#]+)", text) if "://" not in target]
    assert [target for target in targets if not (page.parent / target).exists()] == []
