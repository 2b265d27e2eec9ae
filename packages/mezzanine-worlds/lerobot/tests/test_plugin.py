"""What is announced, and what announcing and loading import."""

from importlib.metadata import entry_points

from mezzanine_worlds_lerobot import plugin
from mezzanine_worlds_lerobot.config import LeRobotConfig
from mezzanine_worlds_lerobot.world import LeRobotWorld


def test_the_plugin_announces_the_world_and_what_implements_it():
    (spec,) = plugin.mezz_worlds()
    assert (spec.kind, spec.name) == ("world", "lerobot")
    assert spec.load_config() is LeRobotConfig
    assert spec.load_factory() is LeRobotWorld


def test_the_plugin_is_found_by_its_entry_point():
    found = [e for e in entry_points(group="mezzanine") if e.value == plugin.__name__]
    assert [entry.name for entry in found] == ["lerobot"]


def test_announcing_imports_nothing_heavy(python):
    script = (
        "import sys\n"
        "from mezzanine_worlds_lerobot import plugin\n"
        "plugin.mezz_worlds()\n"
        "heavy = ('numpy', 'pydantic', 'PIL', 'av', 'pyarrow', 'torch', 'lerobot')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    assert python(script).stdout.strip() == "[]"


def test_loading_a_local_folder_imports_neither_torch_nor_lerobot_nor_a_decoder(python, g1):
    script = (
        "import sys\n"
        "from mezzanine_worlds_lerobot.config import LeRobotConfig\n"
        "from mezzanine_worlds_lerobot.world import LeRobotWorld\n"
        f"config = LeRobotConfig(root={str(g1)!r}, n_train=9, n_test=9, video_backend='pyav')\n"
        "LeRobotWorld(config).load()\n"
        "heavy = ('torch', 'lerobot', 'datasets', 'huggingface_hub', 'av')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    assert python(script).stdout.strip() == "[]"
