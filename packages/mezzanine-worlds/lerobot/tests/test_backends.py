"""Which library decodes is said, and a missing one is refused with a way out."""

import subprocess

import pytest

from mezzanine_core.errors import MissingDependencyError
from mezzanine_worlds_lerobot.backends import choose_backend

try:
    import torchcodec.decoders  # noqa: F401
except (ImportError, OSError, RuntimeError):
    LOADS = False
else:
    LOADS = True


def test_pyav_is_chosen_without_importing_torch(python):
    script = (
        "import sys\n"
        "from mezzanine_worlds_lerobot.backends import choose_backend\n"
        "print(choose_backend('pyav').name, 'torch' in sys.modules)"
    )
    assert python(script).stdout.split() == ["pyav", "False"]


def test_torchcodec_is_chosen_where_it_loads_and_else_pyav():
    assert choose_backend("auto").name == ("torchcodec" if LOADS else "pyav")


@pytest.mark.skipif(LOADS, reason="torchcodec loads here")
def test_torchcodec_that_does_not_load_is_refused_with_a_way_out():
    with pytest.raises(MissingDependencyError, match="torchcodec does not load: Could") as caught:
        choose_backend("torchcodec")
    assert "--video_backend pyav" in caught.value.hint


def test_the_backend_is_named_with_its_version(python):
    found: subprocess.CompletedProcess[str] = python("import av; print(av.__version__)")
    assert choose_backend("pyav").version == found.stdout.strip()
