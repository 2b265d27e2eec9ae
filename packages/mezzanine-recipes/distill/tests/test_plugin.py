import subprocess
import sys

from mezzanine_core.config.resolve import resolve
from mezzanine_core.plugins import load_registry
from mezzanine_recipes_distill import plugin
from mezzanine_recipes_distill.config import SymmetryDistillConfig
from mezzanine_recipes_distill.recipe import SymmetryDistill


def test_specs_lead_to_the_recipe():
    specs = plugin.mezz_recipes()
    names = ["symmetry_distill", "hf_text_order_distill", "hf_llm_hiddenstate_order_distill"]
    assert [spec.name for spec in specs] == names
    assert {spec.load_config() for spec in specs} == {SymmetryDistillConfig}
    assert {spec.load_factory() for spec in specs} == {SymmetryDistill}


def test_text_preset_takes_the_flags_of_the_original():
    flags = {"dataset": "ag_news", "n_train": "5000", "n_test": "2000", "k_train": "8"}
    flags |= {"model_name": "distilbert-base-uncased", "k_test": "16"}
    config = resolve(load_registry(), "hf_text_order_distill", flags=flags).config
    assert (config.world.name, config.world.n_test) == ("hf_dataset", 2000)
    assert config.symmetry.name == "order"
    assert (config.encoder.name, config.encoder.model_name) == (
        "hf_language",
        "distilbert-base-uncased",
    )
    assert (config.belief, config.k_train, config.k_test) == ("head", 8, 16)


def test_language_model_preset_takes_the_flags_of_the_original():
    flags = {"dataset": "boolq", "n_train": "2048", "n_test": "512", "lm_name": "gpt2"}
    flags |= {"embed_layer": "-1", "embed_mode": "last", "k_train": "8", "k_test": "16"}
    config = resolve(load_registry(), "hf_llm_hiddenstate_order_distill", flags=flags).config
    assert config.world.name == "hf_qa"
    encoder = config.encoder
    assert (encoder.name, encoder.model_name) == ("hf_causal_lm", "gpt2")
    assert (encoder.embed_layer, encoder.embed_mode) == (-1, "last")
    assert (config.belief, config.students) == ("choices", ("head",))


def test_listing_and_help_need_no_heavy_library():
    script = (
        "import sys\n"
        "from mezzanine_recipes_distill import plugin\n"
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
