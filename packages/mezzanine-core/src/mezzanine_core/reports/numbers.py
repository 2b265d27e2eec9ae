"""How reports write numbers."""

from __future__ import annotations

import math

from mezzanine_core.results import Estimate

_MOST_DECIMALS = 6


def decimals_for(estimate: Estimate) -> int:
    """Decimals that show two significant digits of the interval's width."""
    width = estimate.high - estimate.low
    if width <= 0:
        width = abs(estimate.value) / 10 or 1.0
    return min(max(1 - math.floor(math.log10(width)), 0), _MOST_DECIMALS)


def fixed(value: float, decimals: int) -> str:
    """A number with so many decimals; what is rounded to zero has no sign."""
    text = f"{value:,.{decimals}f}"
    return text if text.strip("-0.") else text.removeprefix("-")


def value_text(estimate: Estimate) -> str:
    """The point estimate, as exactly as its interval permits."""
    return fixed(estimate.value, decimals_for(estimate))


def interval_text(estimate: Estimate) -> str:
    """The interval, ``[0.41, 0.63]``."""
    decimals = decimals_for(estimate)
    return f"[{fixed(estimate.low, decimals)}, {fixed(estimate.high, decimals)}]"


def estimate_text(estimate: Estimate) -> str:
    """Value and interval."""
    return f"{value_text(estimate)} {interval_text(estimate)}"


def seconds_text(seconds: float) -> str:
    """A duration: ``0.42 s``, ``38 s``, ``4 min 05 s``, ``2 h 03 min``."""
    if seconds < 10:
        return f"{seconds:.2f} s"
    if round(seconds) < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min"


def share_text(part: float, whole: float) -> str:
    """``part`` as a percentage of ``whole``; ``0%`` of nothing."""
    return f"{part / whole:.0%}" if whole > 0 else "0%"


def plain_text_of(value: object) -> str:
    """A JSON value on one line, numbers to six digits."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}" if abs(value) >= 10_000 else str(value)
    return f"{value:.6g}" if isinstance(value, float) else str(value)
