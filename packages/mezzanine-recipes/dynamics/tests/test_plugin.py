import subprocess
import sys

import pytest

from mezzanine_core.config.resolve import resolve
from mezzanine_core.plugins import load_registry
from mezzanine_recipes_dynamics import plugin
from mezzanine_recipes_dynamics.config import LatentDynamicsConfig
from mezzanine_recipes_dynamics.recipe import LatentDynamics


def test_specs_lead_to_the_recipe():
    specs = plugin.mezz_recipes()
    assert [spec.name for spec in specs] == [
        "latent_dynamics",
        "iphyre_latent_dynamics",
        "lerobot_latent_dynamics",
        "gymnasium_latent_dynamics",
    ]
    assert {spec.load_config() for spec in specs} == {LatentDynamicsConfig}
    assert {spec.load_factory() for spec in specs} == {LatentDynamics}


def test_preset_names_its_world_and_keeps_pixels_on_white():
    resolved = resolve(load_registry(), "iphyre_latent_dynamics")
    assert resolved.config.world.name == "iphyre"
    assert tuple(resolved.config.world.games) == ("hole", "seesaw")
    assert resolved.config.encoder.name == "pixels"
    assert resolved.config.encoder.centre == 255


@pytest.mark.parametrize("name", ["lerobot", "gymnasium"])
def test_presets_name_their_worlds(name):
    (spec,) = (each for each in plugin.mezz_recipes() if each.name == f"{name}_latent_dynamics")
    assert spec.defaults["world"] == {"name": name}


def test_preset_gives_nothing_to_another_encoder():
    resolved = resolve(load_registry(), "iphyre_latent_dynamics", flags={"encoder": "identity"})
    assert resolved.config.encoder.name == "identity"


def test_listing_and_help_need_no_heavy_library():
    script = (
        "import sys\n"
        "from mezzanine_recipes_dynamics import plugin\n"
        "assert not {'numpy', 'torch', 'matplotlib'} & set(sys.modules)\n"
        "plugin.mezz_recipes()[0].load_config()\n"
        "assert not {'torch', 'matplotlib'} & set(sys.modules)\n"
        "plugin.mezz_recipes()[0].load_factory()\n"
        "assert not {'torch', 'matplotlib'} & set(sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
