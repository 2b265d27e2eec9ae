"""Making environments: without a display, and with errors that say what is missing."""

from __future__ import annotations

import difflib
import importlib
import os
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from mezzanine_core.errors import (
    ConfigError,
    DataError,
    MezzError,
    MissingDependencyError,
    UnknownNameError,
)

RENDER_MODE = "rgb_array"
"""How frames are rendered: into an array, without a window."""

_OWN = "mezzanine-worlds-gymnasium"

_HEADLESS = {
    "SDL_VIDEODRIVER": "dummy",
    "SDL_AUDIODRIVER": "dummy",
    "PYGAME_HIDE_SUPPORT_PROMPT": "1",
}

_FAMILIES: Mapping[str, str] = {
    "box2d": f"{_OWN}[box2d]",
    "mujoco": f"{_OWN}[mujoco]",
    "classic_control": "pygame",
    "toy_text": "pygame",
}
"""Package of Gymnasium's environments → what brings that which they need."""

_NAMESPACES: Mapping[str, str] = {
    "ALE": "ale-py",
    "gym_pusht": "gym-pusht",
    "gym_aloha": "gym-aloha",
    "highway": "highway-env",
    "MiniGrid": "minigrid",
}
"""Namespace of ids → the distribution that registers them, where it goes by another name."""


_STATEFUL = {
    # Particles of the engine fade, and lidar rays are drawn one after the other, as it renders.
    "gymnasium.envs.box2d.lunar_lander",
    "gymnasium.envs.box2d.bipedal_walker",
}
"""Modules of environments whose pictures depend on how often they were rendered before."""


class EnvRef(NamedTuple):
    """Which environment to make; picklable, so that it can be sent to a worker process.

    Attributes:
        env_id: Its id.
        kwargs: Its arguments.
        render: Whether it is made for rendering frames.
        every: Whether each step is rendered, and not only those whose frames are wanted.
    """

    env_id: str
    kwargs: Mapping[str, Any]
    render: bool
    every: bool = False


@contextmanager
def headless() -> Iterator[None]:
    """Let environments be made, played and rendered without display, sound or greetings.

    SDL (of pygame) and MuJoCo read variables of the environment when they start, so those are set
    inside, and put back as they were. A choice of ``MUJOCO_GL`` that is there already stays.
    """
    wanted = dict(_HEADLESS)
    if (backend := mujoco_gl()) is not None:
        wanted["MUJOCO_GL"] = backend
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        with warnings.catch_warnings():
            # Box2D's bindings, and pygame where pkg_resources is installed, do so at import.
            warnings.filterwarnings("ignore", "builtin type .* has no __module__ attribute")
            warnings.filterwarnings("ignore", ".*pkg_resources")
            # Those that cannot render frames are refused with an error of ours.
            warnings.filterwarnings("ignore", ".*not in the possible render_modes")
            yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def mujoco_gl() -> str | None:
    """The value of ``MUJOCO_GL`` that MuJoCo renders with: EGL on Linux, unless one is chosen."""
    return os.environ.get("MUJOCO_GL") or ("egl" if sys.platform == "linux" else None)


def gymnasium_library() -> Any:
    """The package ``gymnasium``, imported on first use.

    Raises:
        MissingDependencyError: If it cannot be imported.
    """
    try:
        import gymnasium
    except ImportError as error:
        raise MissingDependencyError(
            f"gymnasium cannot be imported: {error}",
            hint=f"Run `pip install --force-reinstall {_OWN}`.",
        ) from error
    return gymnasium


def find_spec(env_id: str) -> Any:
    """What is registered under an id: a ``gymnasium.envs.registration.EnvSpec``.

    Raises:
        UnknownNameError: If nothing is; the hint says what comes near.
        MissingDependencyError: If no installed package registers ids of that namespace, or the
            module in front of the id cannot be imported.
        ConfigError: If the id is malformed, or of a version that is gone.
    """
    gymnasium = gymnasium_library()
    module, colon, name = env_id.rpartition(":")
    if colon:
        _import(module, env_id)
    errors = gymnasium.error
    try:
        return gymnasium.spec(name)
    except errors.NamespaceNotFound as error:
        namespace = name.split("/")[0]
        package = _NAMESPACES.get(namespace)
        install = f"`pip install {package}`" if package else "the package that registers them"
        raise MissingDependencyError(
            f"no installed package registers environments {namespace}/…, such as {env_id!r}",
            hint=f"Install it: {install}. Ids that a module of your own registers are written "
            "`module:Name-v0`.",
        ) from error
    except errors.UnregisteredEnv as error:
        near = difflib.get_close_matches(name, list(gymnasium.registry), n=3, cutoff=0.5)
        raise UnknownNameError(
            f"there is no environment {env_id!r}",
            hint=f"Did you mean {', '.join(near)}?"
            if near
            else "`python -c 'import gymnasium; gymnasium.pprint_registry()'` lists them.",
        ) from error
    except errors.Error as error:
        raise ConfigError(f"the environment {env_id!r} cannot be found: {error}") from error


def _import(module: str, env_id: str) -> None:
    try:
        importlib.import_module(module)
    except ImportError as error:
        raise MissingDependencyError(
            f"the module {module!r} of the environment {env_id!r} cannot be imported: {error}",
            hint="Install the package it belongs to, or name its folder in PYTHONPATH.",
        ) from error


def make(ref: EnvRef) -> Any:
    """Make an environment: a ``gymnasium.Env`` without a limit of steps of its own.

    Call it under :func:`headless`, and close what it gives.

    Raises:
        UnknownNameError: If there is no such id.
        MissingDependencyError: If a package that the environment needs is not installed.
        ConfigError: If the environment refuses its arguments.
    """
    spec = find_spec(ref.env_id)
    try:
        return gymnasium_library().make(
            spec,
            max_episode_steps=-1,
            disable_env_checker=True,
            render_mode=RENDER_MODE if ref.render else None,
            **ref.kwargs,
        )
    except (ImportError, gymnasium_library().error.DependencyNotInstalled) as error:
        raise _missing(ref, error) from error
    except Exception as error:
        raise ConfigError(
            f"the environment {ref.env_id!r} cannot be made with env_kwargs={dict(ref.kwargs)}: "
            f"{type(error).__name__}: {error}"
        ) from error


def check_renders(ref: EnvRef, env: Any) -> None:
    """Make sure that an environment can render frames.

    Raises:
        DataError: If it does not offer them.
    """
    modes = list((env.metadata or {}).get("render_modes") or ())
    if RENDER_MODE not in modes:
        raise DataError(
            f"the environment {ref.env_id!r} cannot render frames: it offers "
            f"{', '.join(map(str, modes)) or 'no render mode'}, but not {RENDER_MODE}",
            hint="Use observations=vector.",
        )


@contextmanager
def blamed(ref: EnvRef, doing: str) -> Iterator[None]:
    """Turn what an environment raises into an error that names it.

    Args:
        ref: The environment.
        doing: What it does meanwhile, such as ``playing the episode of seed 7``.

    Raises:
        MissingDependencyError: If something it needs is not installed.
        DataError: If it raises anything else.
        MezzError: What is raised on purpose, unchanged.
    """
    try:
        yield
    except MezzError:
        raise
    except (ImportError, gymnasium_library().error.DependencyNotInstalled) as error:
        raise _missing(ref, error) from error
    except Exception as error:
        raise DataError(
            f"the environment {ref.env_id!r} fails at {doing}: {type(error).__name__}: {error}",
            hint=_hint(ref),
        ) from error


def renders_every(env_id: str) -> bool:
    """Whether an environment is known to need all its steps rendered, for the wanted ones to agree.

    Raises:
        UnknownNameError: If there is no such environment.
        MissingDependencyError: If the package that registers it is not installed.
    """
    return entry_module(find_spec(env_id)) in _STATEFUL


def family(ref: EnvRef) -> str | None:
    """The package of Gymnasium that an environment is of, such as ``box2d``; else ``None``."""
    module = entry_module(find_spec(ref.env_id))
    prefix = "gymnasium.envs."
    return module.removeprefix(prefix).split(".")[0] if module.startswith(prefix) else None


def entry_module(spec: Any) -> str:
    """The module that makes an environment; empty where none is named."""
    entry = spec.entry_point
    if isinstance(entry, str):
        return entry.partition(":")[0]
    return getattr(entry, "__module__", "") or ""


def _missing(ref: EnvRef, error: Exception) -> MissingDependencyError:
    if (package := _FAMILIES.get(family(ref) or "")) is not None:
        hint = f'Run `pip install "{package}"`.'
    else:
        hint = f"Install what it needs: {error}"
    return MissingDependencyError(
        f"the environment {ref.env_id!r} needs a package that is not installed: {error}",
        hint=hint if _hint(ref) is None else f"{hint} {_hint(ref)}",
    )


def _hint(ref: EnvRef) -> str | None:
    if ref.render and family(ref) == "mujoco":
        return (
            f"MuJoCo renders with MUJOCO_GL={mujoco_gl()}; where that does not work, another may: "
            "egl (package libegl1), osmesa (package libosmesa6) or, with a display, glfw."
        )
    return None
