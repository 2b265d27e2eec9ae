"""Policies in files: a multilayer perceptron as an .npz file of plain arrays, without pickle."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from mezzanine_core.errors import ConfigError, DataError
from mezzanine_worlds_gymnasium.actions import ActionCodec, Quantities, action_codec
from mezzanine_worlds_gymnasium.observations import Flattener

Floats = npt.NDArray[np.float64]

Activation = Literal["tanh", "relu"]

_ACTIVATIONS: Mapping[str, Callable[[Floats], Floats]] = {
    "tanh": np.tanh,
    "relu": lambda values: np.maximum(values, 0.0),
}

_FORMAT = (
    "An .npz file holds float arrays w0 [D, H], b0 [H], w1, b1, …, the text `activation` (tanh or "
    "relu) and, if inputs are scaled, `mean` [D] and `scale` [D]; "
    "mezzanine_worlds_gymnasium.saved.save_policy writes one."
)


class SavedPolicy:
    """A multilayer perceptron from the flattened observation to an action.

    Hidden layers are ``activation(x @ w + b)``, the last one is linear. Where the action is a
    choice, the largest of its outputs wins; a switch is on where its output is above 0; quantities
    are the outputs themselves, in units of the action space and clipped to its bounds. Everything
    is computed in float64, one observation at a time.

    Args:
        layers: Weights [inputs, outputs] and biases [outputs] of each layer.
        activation: What stands between the layers.
        mean: Subtracted from observations, [D].
        scale: What they are divided by then, [D].
        where: The file, for messages.
    """

    def __init__(
        self,
        layers: Sequence[tuple[Floats, Floats]],
        activation: str,
        mean: Floats | None,
        scale: Floats | None,
        where: str,
    ) -> None:
        self._layers = layers
        self._activation = _ACTIVATIONS[activation]
        self._mean = 0.0 if mean is None else mean
        self._scale = 1.0 if scale is None else scale
        self._where = where
        self._codec: ActionCodec | None = None

    def bind(self, observation_space: Any, action_space: Any) -> None:
        """Get ready for an environment.

        Raises:
            ConfigError: If the layers do not fit its observations or actions.
            DataError: If its spaces are not supported.
        """
        self._flatten = Flattener(observation_space, self._where)
        self._codec = action_codec(action_space, self._where)
        ends = (self._layers[0][0].shape[0], self._layers[-1][0].shape[1])
        if ends != (self._flatten.size, self._codec.size):
            raise ConfigError(
                f"the policy {self._where} maps {ends[0]} values to {ends[1]}, but the environment "
                f"has observations of {self._flatten.size} values and actions of {self._codec.size}"
            )

    def __call__(
        self, observation: Any, step: int, rng: np.random.Generator, action_space: Any
    ) -> Any:
        """The action at an observation, as a policy gives it; only ``observation`` counts."""
        if self._codec is None:
            raise ConfigError(f"the policy {self._where} was not bound to an environment")
        values = (self._flatten(observation).astype(np.float64) - self._mean) / self._scale
        *hidden, (weights, biases) = self._layers
        for inner, bias in hidden:
            values = self._activation(values @ inner + bias)
        outputs = values @ weights + biases
        if not np.isfinite(outputs).all():
            raise DataError(f"the policy {self._where} gives {outputs}, which is not finite")
        if isinstance(self._codec, Quantities):
            flat = np.clip(outputs, action_space.low.reshape(-1), action_space.high.reshape(-1))
            return flat.astype(self._codec.dtype).reshape(self._codec.shape)
        # A switch is on above 1/2 of its feature, and above 0 of its output.
        return self._codec.decode(outputs + 0.5)


def save_policy(
    path: Path,
    layers: Sequence[tuple[npt.ArrayLike, npt.ArrayLike]],
    *,
    activation: Activation = "tanh",
    mean: npt.ArrayLike | None = None,
    scale: npt.ArrayLike | None = None,
) -> None:
    """Write a policy that ``policy=saved:PATH`` reads; see :class:`SavedPolicy`.

    Args:
        path: Where to, ending in .npz.
        layers: Weights [inputs, outputs] and biases [outputs] of each layer, the first one first.
        activation: What stands between the layers.
        mean: Subtracted from observations, [D].
        scale: What they are divided by then, [D].

    Raises:
        ConfigError: If the arrays do not fit together; nothing is written.
    """
    arrays: dict[str, Any] = {"activation": np.array(activation)}
    for place, (weights, biases) in enumerate(layers):
        arrays |= {f"w{place}": np.asarray(weights), f"b{place}": np.asarray(biases)}
    optional = {"mean": mean, "scale": scale}
    arrays |= {name: np.asarray(value) for name, value in optional.items() if value is not None}
    _policy(arrays, str(path))
    np.savez(path, **arrays)


def read_policy(path: Path) -> SavedPolicy:
    """Read a policy that :func:`save_policy` wrote.

    Raises:
        ConfigError: If there is no such file, or it holds something else.
    """
    try:
        # Opened here, since np.load leaves a file open that it cannot read.
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except FileNotFoundError:
        raise ConfigError(f"there is no policy file {path}") from None
    except (OSError, ValueError, AttributeError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise ConfigError(f"{path} cannot be read as a policy: {error}", hint=_FORMAT) from error
    return _policy(arrays, str(path))


def _policy(arrays: dict[str, npt.NDArray[Any]], where: str) -> SavedPolicy:
    depth = sum(name.startswith("w") for name in arrays)
    wanted = {f"{kind}{place}" for place in range(depth) for kind in "wb"}
    names = set(arrays) - {"activation", "mean", "scale"}
    if depth == 0 or names != wanted:
        raise ConfigError(
            f"{where} holds {sorted(arrays)}, not the layers of a policy", hint=_FORMAT
        )
    activation = str(arrays.get("activation", "tanh"))
    if activation not in _ACTIVATIONS:
        raise ConfigError(
            f"{where} has the activation {activation!r}; there are {', '.join(_ACTIVATIONS)}"
        )
    floats = {
        name: _floats(value, name, where) for name, value in arrays.items() if name != "activation"
    }
    layers = [(floats[f"w{place}"], floats[f"b{place}"]) for place in range(depth)]
    _check_chain(layers, where)
    for name in ("mean", "scale"):
        if name in floats and floats[name].shape != layers[0][0].shape[:1]:
            raise ConfigError(f"{where}: {name} has shape {floats[name].shape}, not that of inputs")
    if "scale" in floats and not floats["scale"].all():
        raise ConfigError(f"{where}: scale holds zeros, by which nothing can be divided")
    return SavedPolicy(layers, activation, floats.get("mean"), floats.get("scale"), where)


def _floats(array: npt.NDArray[Any], name: str, where: str) -> Floats:
    if array.dtype.kind not in "fiu" or not np.isfinite(array).all():
        raise ConfigError(f"{where}: {name} ({array.dtype}) does not hold finite numbers")
    return array.astype(np.float64)


def _check_chain(layers: Sequence[tuple[Floats, Floats]], where: str) -> None:
    width = None
    for place, (weights, biases) in enumerate(layers):
        fits = weights.ndim == 2 and biases.shape == weights.shape[1:]
        if not fits or (width is not None and weights.shape[0] != width):
            expected = "[inputs, outputs]" if width is None else f"[{width}, outputs]"
            raise ConfigError(
                f"{where}: w{place} has shape {list(weights.shape)} and b{place} "
                f"{list(biases.shape)}; expected {expected} and [outputs]"
            )
        width = weights.shape[1]
