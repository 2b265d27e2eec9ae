import os
import sys

import gymnasium
import pytest

from mezzanine_core.errors import (
    ConfigError,
    DataError,
    MissingDependencyError,
    UnknownNameError,
)
from mezzanine_worlds_gymnasium.environments import (
    EnvRef,
    blamed,
    check_renders,
    find_spec,
    headless,
    make,
    mujoco_gl,
)


def _ref(env_id: str, render: bool = False, **kwargs) -> EnvRef:
    return EnvRef(env_id, kwargs, render)


def test_an_id_that_does_not_exist_is_answered_with_near_ones() -> None:
    with pytest.raises(UnknownNameError, match="'CartPol-v1'") as caught:
        find_spec("CartPol-v1")
    assert "CartPole-v1" in caught.value.hint
    assert caught.value.exit_code == 2


def test_an_id_far_from_all_others_is_answered_with_how_to_list_them() -> None:
    with pytest.raises(UnknownNameError) as caught:
        find_spec("Xyzzyqwert-v0")
    assert "pprint_registry" in caught.value.hint


@pytest.mark.parametrize("env_id", ["CartPole-v99", "CartPole-v", "LunarLander-v2", "a/b/c-v1"])
def test_a_version_that_is_gone_or_malformed_is_an_error_of_the_settings(env_id: str) -> None:
    with pytest.raises((ConfigError, MissingDependencyError), match=env_id):
        make(_ref(env_id))


@pytest.mark.parametrize(
    ("env_id", "package"), [("ALE/Pong-v5", "ale-py"), ("gym_pusht/PushT-v0", "gym-pusht")]
)
def test_a_namespace_of_no_installed_package_is_answered_with_pip(env_id, package) -> None:
    with pytest.raises(MissingDependencyError, match=env_id) as caught:
        find_spec(env_id)
    assert f"pip install {package}" in caught.value.hint
    assert caught.value.exit_code == 3


def test_a_module_that_is_not_there_is_named() -> None:
    with pytest.raises(MissingDependencyError, match="'no_such_module'"):
        find_spec("no_such_module:Line-v0")


@pytest.mark.parametrize(
    ("env_id", "module", "package"),
    [
        ("LunarLander-v3", "Box2D", "mezzanine-worlds-gymnasium[box2d]"),
        ("InvertedPendulum-v5", "mujoco", "mezzanine-worlds-gymnasium[mujoco]"),
    ],
)
def test_a_missing_simulator_is_answered_with_pip(monkeypatch, env_id, module, package) -> None:
    for name in [name for name in sys.modules if name.startswith("gymnasium.envs.")]:
        if "box2d" in name or "mujoco" in name:
            monkeypatch.delitem(sys.modules, name)
    for name in [name for name in sys.modules if name.split(".")[0] == module]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingDependencyError, match=env_id) as caught:
        make(_ref(env_id))
    assert f'pip install "{package}"' in caught.value.hint
    assert caught.value.exit_code == 3


def test_a_missing_renderer_is_answered_with_pip(monkeypatch) -> None:
    ref = _ref("CartPole-v1", render=True)
    monkeypatch.setitem(sys.modules, "pygame", None)
    env = make(ref)
    env.reset(seed=0)
    with pytest.raises(MissingDependencyError) as caught, blamed(ref, "rendering"):
        env.render()
    assert 'pip install "pygame"' in caught.value.hint


def test_arguments_that_the_environment_refuses_are_named() -> None:
    with pytest.raises(ConfigError, match=r"env_kwargs=\{'wings': 2\}"):
        make(_ref("CartPole-v1", wings=2))


def test_arguments_reach_the_environment() -> None:
    assert make(_ref("FrozenLake-v1", map_name="8x8")).observation_space.n == 64


def test_environments_have_no_limit_of_their_own() -> None:
    env = make(_ref("MountainCar-v0"))
    env.reset(seed=0)
    assert not any(env.step(1)[3] for _ in range(300))


def test_an_environment_without_frames_is_refused() -> None:
    ref = _ref("gym_toys:Blind-v0")
    with pytest.raises(DataError, match="it offers human") as caught:
        check_renders(ref, make(ref))
    assert "observations=vector" in caught.value.hint


@pytest.mark.filterwarnings("ignore:.*not in the possible render_modes")
def test_an_environment_without_any_render_mode_is_refused() -> None:
    class Dark(gymnasium.Env):
        metadata = {}  # noqa: RUF012

    with pytest.raises(DataError, match="offers no render mode"):
        check_renders(_ref("Dark-v0"), Dark())


def test_what_an_environment_raises_is_told_with_its_name() -> None:
    culprit = "'CartPole-v1' fails at step 3: KeyError"
    with pytest.raises(DataError, match=culprit) as caught, blamed(_ref("CartPole-v1"), "step 3"):
        raise KeyError("x")
    assert isinstance(caught.value.__cause__, KeyError)


def test_variables_are_as_before_afterwards(monkeypatch) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "x11")
    monkeypatch.delenv("SDL_AUDIODRIVER", raising=False)
    before = dict(os.environ)
    with headless():
        assert os.environ["SDL_VIDEODRIVER"] == os.environ["SDL_AUDIODRIVER"] == "dummy"
    assert dict(os.environ) == before
    with pytest.raises(KeyError), headless():
        raise KeyError
    assert dict(os.environ) == before


def test_the_choice_of_how_mujoco_renders_is_left_to_the_user(monkeypatch) -> None:
    monkeypatch.setenv("MUJOCO_GL", "osmesa")
    with headless():
        assert mujoco_gl() == os.environ["MUJOCO_GL"] == "osmesa"


def test_importing_changes_no_variable_and_plays_nothing(python) -> None:
    script = (
        "import os, sys\n"
        "before = dict(os.environ)\n"
        "import mezzanine_worlds_gymnasium.world, mezzanine_worlds_gymnasium.simulation\n"
        "print(dict(os.environ) == before, 'pygame' in sys.modules, 'gymnasium' in sys.modules)"
    )
    assert python(script).stdout.strip() == "True False False"
