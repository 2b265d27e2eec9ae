import subprocess
import sys

from mezzanine_trackers_wandb import plugin
from mezzanine_trackers_wandb.config import WandbConfig
from mezzanine_trackers_wandb.tracker import WandbTracker


def test_spec_leads_to_the_tracker():
    (spec,) = plugin.mezz_trackers()
    assert (spec.kind, spec.name) == ("tracker", "wandb")
    assert spec.load_config() is WandbConfig
    assert spec.load_factory() is WandbTracker


def test_announcing_and_the_settings_do_not_import_wandb():
    script = (
        "import sys, mezzanine_trackers_wandb.plugin as p;"
        "p.mezz_trackers()[0].load_config();"
        "sys.exit('wandb' in sys.modules or 'numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
