from pathlib import Path

import pytest

from mezzanine_core.errors import (
    ConfigError,
    MissingDependencyError,
    PluginError,
)
from mezzanine_core.plugins.components import Component
from mezzanine_core.specs import Spec

MODULE = "mezz_test_parts"


@pytest.fixture
def component(plugin_site):
    """Builds a component whose implementation module has the given text."""

    def build(text: str, requires: tuple[str, ...] = ()) -> Component:
        plugin_site.write(f"{MODULE}.py", text)
        spec = Spec("world", "toy", "A toy", f"{MODULE}:Config", f"{MODULE}:Toy", requires=requires)
        return Component(spec, "mezz-test", "1.2")

    return build


def test_the_implementation_is_constructed_with_the_configuration(component):
    made = component("class Toy:\n    def __init__(self, config):\n        self.config = config\n")
    assert made.create({"games": 3}).config == {"games": 3}


def test_what_an_implementation_prints_goes_to_stderr(component, capsys):
    component("print('hello from the library')\ndef Toy(config):\n    print('made')\n").create({})
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "hello from the library\nmade\n")


def test_a_missing_optional_requirement_is_answered_with_its_pip_command(component):
    made = component("raise AssertionError('imported')\n", ("numpy", "no-such-dist-anywhere>=2"))
    with pytest.raises(MissingDependencyError, match="needs 'no-such-dist-anywhere>=2'") as caught:
        made.create({})
    assert caught.value.hint == "pip install 'no-such-dist-anywhere>=2'"


def test_a_requirement_that_is_met_does_not_stand_in_the_way(component):
    made = component("def Toy(config):\n    return 1\n", ("numpy>=1", "x; python_version < '3'"))
    assert made.create({}) == 1


def test_a_malformed_requirement_is_the_plugins_fault(component):
    with pytest.raises(PluginError, match="mezz-test has the malformed requirement 'numpy >=> 1'"):
        component("", ("numpy >=> 1",)).create({})


@pytest.mark.parametrize(
    "text",
    ["import no_such_library\n", "def Toy(config):\n    import no_such_library\n"],
    ids=["at import", "in the constructor"],
)
def test_a_module_that_is_not_installed_is_a_missing_dependency(component, text):
    with pytest.raises(MissingDependencyError, match="module 'no_such_library'") as caught:
        component(text).create({})
    assert "world 'toy' of mezz-test 1.2" in caught.value.message
    assert caught.value.hint == "pip install --upgrade mezz-test"
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("from json import no_such_name\n", "cannot be imported: cannot import name"),
        ("1 / 0\n", "cannot be imported: ZeroDivisionError: division by zero"),
        ("import sys\nsys.exit(3)\n", "cannot be imported: SystemExit: 3"),
        ("def Toy():\n    pass\n", "failed to start: TypeError: Toy() takes 0 positional"),
        ("Toy = 3\n", "failed to start: TypeError: 'int' object is not callable"),
        ("def Toy(config):\n    config['x']\n", "failed to start: KeyError: 'x'"),
        ("def Toy(config):\n    raise SystemExit\n", "failed to start: SystemExit"),
    ],
)
def test_an_implementation_that_breaks_is_named(component, text, said):
    with pytest.raises(PluginError) as caught:
        component(text).create({})
    assert caught.value.message.startswith(f"the world 'toy' of mezz-test 1.2 {said}")
    assert caught.value.exit_code == 3


def test_an_implementation_that_is_not_there_is_named(component):
    with pytest.raises(PluginError, match="module 'mezz_test_parts' has no 'Toy'"):
        component("").create({})


def test_errors_that_the_implementation_means_pass_through(component):
    made = component(
        "from mezzanine_core.errors import ConfigError\n"
        "def Toy(config):\n    raise ConfigError('games must not be empty', hint='Name one.')\n"
    )
    with pytest.raises(ConfigError, match="games must not be empty") as caught:
        made.create({})
    assert caught.value.hint == "Name one."


def test_a_missing_dependency_that_the_implementation_names_passes_through(component):
    made = component(
        "from mezzanine_core.errors import MissingDependencyError as Missing\n"
        "def Toy(config):\n    raise Missing('no ffmpeg', hint='apt install ffmpeg')\n"
    )
    with pytest.raises(MissingDependencyError, match=r"^no ffmpeg") as caught:
        made.create({})
    assert caught.value.hint == "apt install ffmpeg"


def test_the_users_interrupt_passes_through(component):
    with pytest.raises(KeyboardInterrupt):
        component("def Toy(config):\n    raise KeyboardInterrupt\n").create({})


def test_the_configuration_model_is_imported_without_the_implementation(component, plugin_site):
    made = component("class Config: ...\n")
    assert made.load_config().__name__ == "Config"
    assert Path(__import__(MODULE).__file__).is_relative_to(plugin_site.root)


def test_a_configuration_module_that_raises_is_named(component):
    with pytest.raises(PluginError, match=r"world 'toy' of mezz-test 1\.2 cannot be imported: V"):
        component("raise ValueError('x')\n").load_config()
