from importlib.metadata import version

import pytest

from mezzanine_core.errors import MissingDependencyError
from mezzanine_worlds_gymnasium.environments import EnvRef
from mezzanine_worlds_gymnasium.versions import module_digest, simulator_versions


def _versions(env_id: str) -> dict[str, str]:
    return simulator_versions(EnvRef(env_id, {}, render=True))


@pytest.mark.parametrize(
    ("env_id", "decisive"),
    [
        ("Pendulum-v1", {"pygame"}),
        ("LunarLander-v3", {"box2d", "pygame"}),
        ("InvertedPendulum-v5", {"mujoco"}),
    ],
)
def test_the_versions_are_those_of_what_simulates_and_draws(env_id, decisive) -> None:
    names = {"gymnasium", "numpy"} | decisive
    assert _versions(env_id) == {name: version(name) for name in names}


def test_a_module_of_no_distribution_is_named_by_its_content(tmp_path, monkeypatch) -> None:
    code = (
        "import gymnasium\n"
        "class Toy(gymnasium.Env): ...\n"
        "gymnasium.register('Digested-v0', entry_point='digested_toy:Toy')\n"
    )
    (tmp_path / "digested_toy.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    versions = _versions("digested_toy:Digested-v0")
    assert versions["digested_toy"] == module_digest(str(tmp_path / "digested_toy.py"))
    (tmp_path / "digested_toy.py").write_text(code + "# mended\n")
    assert _versions("Digested-v0")["digested_toy"] != versions["digested_toy"]


def test_an_environment_of_another_distribution_is_named_by_it(tmp_path, monkeypatch) -> None:
    info = tmp_path / "toy_envs-3.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: toy-envs\nVersion: 3.1\nRequires-Dist: pillow\n"
        "Requires-Dist: pytest ; extra == 'dev'\n"
    )
    (info / "top_level.txt").write_text("installed_toy\n")
    (tmp_path / "installed_toy.py").write_text(
        "import gymnasium\ngymnasium.register('Installed-v0', entry_point='installed_toy:Toy')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    found = _versions("installed_toy:Installed-v0")
    assert found.pop("toy-envs") == "3.1"
    assert found == {name: version(name) for name in ("gymnasium", "numpy", "pillow")}


def test_a_module_that_is_gone_is_named() -> None:
    import gymnasium

    gymnasium.register("Gone-v0", entry_point="no_such_module:Toy")
    with pytest.raises(MissingDependencyError, match="'no_such_module'"):
        _versions("Gone-v0")
