import subprocess
import sys

from mezzanine_trackers_tensorboard import plugin
from mezzanine_trackers_tensorboard.config import TensorBoardConfig
from mezzanine_trackers_tensorboard.tracker import TensorBoardTracker


def test_spec_leads_to_the_tracker():
    (spec,) = plugin.mezz_trackers()
    assert (spec.kind, spec.name) == ("tracker", "tensorboard")
    assert spec.load_config() is TensorBoardConfig
    assert spec.load_factory() is TensorBoardTracker


def test_announcing_and_the_settings_do_not_import_tensorboard():
    script = (
        "import sys, mezzanine_trackers_tensorboard.plugin as p;"
        "p.mezz_trackers()[0].load_config();"
        "sys.exit('tensorboard' in sys.modules or 'numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
