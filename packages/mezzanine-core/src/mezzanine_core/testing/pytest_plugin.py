"""The pytest plugin that comes with core: a fixture that hides installed plugins.

pytest imports it wherever core is installed, so it imports nothing itself but pytest.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from mezzanine_core.plugins import Registry


@pytest.fixture
def only_plugins(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Registry]:
    """Hides every plugin but those named, for the rest of the test: ``only_plugins("my-dist")``.

    It takes names of distributions, or plugin ids (``distribution:entry-point``); core is always
    there. It holds for processes that the test starts, too.

    Returns:
        A function of those names that returns the registry of what is left.

    Raises:
        UnknownNameError: By the function, if no plugin of one of the names is installed.
    """

    def hide(*names: str) -> Registry:
        from mezzanine_core.errors import UnknownNameError
        from mezzanine_core.plugins import load_registry

        monkeypatch.setenv("MEZZ_PLUGINS", ",".join(names))
        registry = load_registry()
        if registry.unmatched:
            raise UnknownNameError(
                f"no plugin {registry.unmatched[0]!r} is installed",
                hint="`mezz plugins` lists the distributions that have one.",
            )
        return registry

    return hide
