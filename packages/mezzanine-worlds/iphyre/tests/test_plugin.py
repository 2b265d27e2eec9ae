from importlib.metadata import entry_points

from mezzanine_worlds_iphyre import plugin
from mezzanine_worlds_iphyre.config import IphyreConfig
from mezzanine_worlds_iphyre.world import IphyreWorld


def test_the_plugin_announces_the_world_and_what_implements_it() -> None:
    (spec,) = plugin.mezz_worlds()
    assert (spec.kind, spec.name) == ("world", "iphyre")
    assert spec.load_config() is IphyreConfig
    assert spec.load_factory() is IphyreWorld


def test_the_plugin_is_found_by_its_entry_point() -> None:
    found = [e for e in entry_points(group="mezzanine") if e.value == plugin.__name__]
    assert [entry.name for entry in found] == ["iphyre"]


def test_announcing_imports_nothing_heavy(python) -> None:
    script = (
        "import sys\n"
        "from mezzanine_worlds_iphyre import plugin\n"
        "plugin.mezz_worlds()\n"
        "heavy = ('numpy', 'pydantic', 'PIL', 'pygame', 'pymunk', 'iphyre')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    assert python(script).stdout.strip() == "[]"
