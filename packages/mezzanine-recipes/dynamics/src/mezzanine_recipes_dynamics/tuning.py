"""What ``--autotune`` searches: how far ahead the outcome of an action is looked at."""

from __future__ import annotations

from collections.abc import Mapping

from mezzanine_core.recipes import Tunable
from mezzanine_recipes_dynamics.config import LatentDynamicsConfig

_SPACE: Mapping[str, str] = {
    "delta_seconds": "1:8:1",
    "delta_steps": "1:32:log",
    "action_scheme": "single|window",
}
"""Settings that worlds may have, and the values of each that are worth a try."""

_SHARE = 4
"""A pilot takes one of so many training samples and steps."""


def tunable(config: LatentDynamicsConfig) -> Tunable | None:
    """What to search in the world of a run; ``None`` where it has none of the settings.

    A question is too easy if the predictor without actions answers it (R@10 above 0.6), and dead if
    it is hardly better than chance (below 0.05). Pilots leave the number of test samples alone:
    they are the candidates that are ranked, and R@10 hangs on how many there are.

    Args:
        config: The recipe's settings, with those of the chosen world in them.
    """
    fields = type(config.world).model_fields
    space = tuple(f"world.{name}={text}" for name, text in _SPACE.items() if name in fields)
    if not space:
        return None
    pilot = [f"train_steps={max(1, config.train_steps // _SHARE)}", f"seeds={config.seeds[0]}"]
    samples = getattr(config.world, "n_train", None)
    if isinstance(samples, int):
        pilot.append(f"world.n_train={max(1, samples // _SHARE)}")
    return Tunable(
        space=space,
        baseline="no_action.r@10",
        low=0.05,
        high=0.6,
        effect="action_minus_no_action.r@10",
        pilot=tuple(pilot),
    )
