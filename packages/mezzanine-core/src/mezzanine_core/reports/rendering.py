"""From what a page says to HTML; everything that comes from a run is escaped."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from mezzanine_core._version import __version__

if TYPE_CHECKING:
    from jinja2 import Environment

GENERATOR = "mezzanine-core"
"""Name in the ``generator`` of each page, by which pages of ours are known."""


def render(template: str, **values: Any) -> str:
    """Fill a template of this package.

    Args:
        template: Its file name, such as ``run.html``.
        values: What it is filled with.

    Returns:
        A whole HTML document that loads nothing.
    """
    page = _environment().get_template(template)
    return page.render(generator=f"{GENERATOR} {__version__}", **values) + "\n"


@cache
def _environment() -> Environment:
    # Imported late: only who makes a report waits for it.
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("mezzanine_core.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
