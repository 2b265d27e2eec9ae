"""Cross-references of docstrings: ``:class:`~package.module.Name``` in a page's HTML."""

from __future__ import annotations

import html
import re

_ROLE = re.compile(r":(?:class|func|meth|mod|data|attr|exc):<code>(?P<target>[^<]+)</code>")


def linked(page: str) -> str:
    """``page`` with a link for each reference to something that the site documents.

    One that leads nowhere, or is written without its module, stays as code.
    """
    return _ROLE.sub(_link, page)


def _link(role: re.Match[str]) -> str:
    target = html.unescape(role["target"])
    short = target.startswith("~")
    name = target.removeprefix("~")
    shown = name.rpartition(".")[2] if short else name
    if not name.startswith("mezzanine_"):
        return f"<code>{html.escape(shown)}</code>"
    return (
        f'<autoref identifier="{html.escape(name)}" optional>'
        f"<code>{html.escape(shown)}</code></autoref>"
    )
