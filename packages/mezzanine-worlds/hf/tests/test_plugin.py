from importlib.metadata import entry_points

from mezzanine_core.plugins.catalog import known_component
from mezzanine_worlds_hf import plugin
from mezzanine_worlds_hf.classification import HFDatasetWorld
from mezzanine_worlds_hf.config import HFDatasetConfig, HFQAConfig
from mezzanine_worlds_hf.questions import HFQAWorld


def test_the_plugin_announces_the_worlds_and_what_implements_them() -> None:
    found = {spec.name: (spec.load_config(), spec.load_factory()) for spec in plugin.mezz_worlds()}
    assert found == {
        "hf_dataset": (HFDatasetConfig, HFDatasetWorld),
        "hf_qa": (HFQAConfig, HFQAWorld),
    }


def test_the_plugin_is_found_by_its_entry_point() -> None:
    found = [e for e in entry_points(group="mezzanine") if e.value == plugin.__name__]
    assert [entry.name for entry in found] == ["hf"]


def test_core_knows_which_distribution_brings_the_worlds() -> None:
    for spec in plugin.mezz_worlds():
        known = known_component("world", spec.name)
        assert known is not None
        assert known.distribution == "mezzanine-worlds-hf"


def test_announcing_and_reading_settings_import_nothing_heavy(python) -> None:
    script = (
        "import sys\n"
        "from mezzanine_worlds_hf import plugin\n"
        "[spec.load_config() for spec in plugin.mezz_worlds()]\n"
        "heavy = ('numpy', 'datasets', 'pyarrow', 'pandas', 'PIL', 'huggingface_hub')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    assert python(script).stdout.strip() == "[]"


def test_constructing_a_world_imports_no_datasets(python) -> None:
    script = (
        "import sys\n"
        "from mezzanine_worlds_hf import plugin\n"
        "for spec in plugin.mezz_worlds():\n"
        "    spec.load_factory()(spec.load_config()(dataset='org/name'))\n"
        "print([name for name in ('datasets', 'pyarrow', 'pandas') if name in sys.modules])"
    )
    assert python(script).stdout.strip() == "[]"
