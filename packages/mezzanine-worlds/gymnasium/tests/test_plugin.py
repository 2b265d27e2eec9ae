from importlib.metadata import entry_points

from mezzanine_worlds_gymnasium import plugin
from mezzanine_worlds_gymnasium.config import GymnasiumConfig
from mezzanine_worlds_gymnasium.world import GymnasiumWorld


def test_the_plugin_announces_the_world_and_what_implements_it() -> None:
    (spec,) = plugin.mezz_worlds()
    assert (spec.kind, spec.name) == ("world", "gymnasium")
    assert spec.load_config() is GymnasiumConfig
    assert spec.load_factory() is GymnasiumWorld


def test_the_plugin_is_found_by_its_entry_point() -> None:
    found = [e for e in entry_points(group="mezzanine") if e.value == plugin.__name__]
    assert [entry.name for entry in found] == ["gymnasium"]


def test_announcing_imports_nothing_heavy(python) -> None:
    script = (
        "import sys\n"
        "from mezzanine_worlds_gymnasium import plugin\n"
        "plugin.mezz_worlds()\n"
        "heavy = ('numpy', 'pydantic', 'PIL', 'pygame', 'gymnasium')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    assert python(script).stdout.strip() == "[]"


def test_the_settings_import_no_gymnasium(python) -> None:
    script = (
        "import sys\n"
        "from mezzanine_worlds_gymnasium import plugin\n"
        "plugin.mezz_worlds()[0].load_config()\n"
        "print([name for name in ('pygame', 'gymnasium') if name in sys.modules])"
    )
    assert python(script).stdout.strip() == "[]"
