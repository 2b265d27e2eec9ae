import subprocess
import sys

from mezzanine_encoders_pixels import plugin
from mezzanine_encoders_pixels.config import PixelsConfig
from mezzanine_encoders_pixels.encoder import PixelsEncoder


def test_spec_leads_to_the_encoder():
    (spec,) = plugin.mezz_encoders()
    assert (spec.kind, spec.name) == ("encoder", "pixels")
    assert spec.load_config() is PixelsConfig
    assert spec.load_factory() is PixelsEncoder


def test_announcing_imports_no_numpy():
    script = (
        "import sys, mezzanine_encoders_pixels.plugin as p; p.mezz_encoders();"
        "sys.exit('numpy' in sys.modules or 'PIL' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
