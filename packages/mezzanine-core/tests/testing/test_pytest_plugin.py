"""What comes with core for pytest costs nothing to have installed, and hides plugins."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mezzanine_core.errors import UnknownNameError
from mezzanine_core.plugins import load_registry

SITE = Path(__file__).parent / "toy_site"


def python(script: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return done.stdout


def test_only_the_named_plugins_and_core_are_left(only_plugins, monkeypatch):
    monkeypatch.syspath_prepend(str(SITE))
    registry = only_plugins("mezz-faulty")
    loaded = {record.id for record in registry.plugins if record.status == "ok"}
    assert loaded == {"mezzanine-core:core", "mezz-faulty:main"}
    assert {record.id for record in load_registry().plugins if record.status == "ok"} == loaded


def test_without_names_core_is_alone(only_plugins):
    assert {found.distribution for found in only_plugins().components()} == {"mezzanine-core"}


def test_a_plugin_that_is_not_installed_cannot_be_kept(only_plugins):
    with pytest.raises(UnknownNameError, match="no plugin 'mezz-nowhere' is installed"):
        only_plugins("mezz-nowhere")


def test_the_pytest_plugin_imports_nothing_but_pytest():
    script = (
        "import sys, pytest\n"
        "before = set(sys.modules)\n"
        "import mezzanine_core.testing.pytest_plugin\n"
        "print(*sorted({name.partition('.')[0] for name in set(sys.modules) - before}))"
    )
    assert set(python(script).split()) & {"numpy", "pydantic", "typer", "zarr", "yaml"} == set()


def test_without_pytest_there_are_laws_but_no_suites():
    script = (
        "import sys\n"
        "sys.modules['pytest'] = None\n"
        "from mezzanine_core.testing import Case, Subject, check\n"
        "from mezzanine_core.errors import MissingDependencyError\n"
        "try:\n"
        "    from mezzanine_core.testing import EncoderTests\n"
        "except MissingDependencyError as error:\n"
        "    print(error.hint)"
    )
    assert python(script).strip() == "pip install 'mezzanine-core[testing]'"
