"""What another process says of a component: one that hashes otherwise and knows nothing of this."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import Any

from mezzanine_core.specs import Kind
from mezzanine_core.testing.laws import BrokenLawError

_SHOWN_LINES = 12


@dataclass(frozen=True)
class Request:
    """What is asked.

    Attributes:
        kind: What the component is.
        name: Its name with its distribution.
        config: Its configuration as JSON values.
        items: Items that it encodes or acts on.
    """

    kind: Kind
    name: str
    config: Mapping[str, Any]
    items: Any


def python_elsewhere(*arguments: str, stdin: bytes = b"") -> bytes:
    """Run Python in a process that sees the same packages and hashes text otherwise.

    Returns:
        What it writes to stdout.

    Raises:
        BrokenLawError: If it fails; the message is what it said last.
    """
    seed = "1" if os.environ.get("PYTHONHASHSEED") != "1" else "2"
    path = os.pathsep.join(part for part in sys.path if part)
    done = subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": path},
        input=stdin,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise BrokenLawError(
            "it fails in another process: " + "\n".join(said[-_SHOWN_LINES:]),
            hint="It must not rely on what this process alone has set up or imported.",
        )
    return done.stdout


def ask_elsewhere(request: Request) -> Mapping[str, Any]:
    """Construct a component in another process, and let it say what it is and gives.

    Raises:
        BrokenLawError: If it fails there.
    """
    reply = python_elsewhere("-m", __name__, stdin=pickle.dumps(request))
    answer: Mapping[str, Any] = pickle.loads(reply)
    return answer


def _answer(request: Request) -> Mapping[str, Any]:
    from mezzanine_core.plugins import load_registry
    from mezzanine_core.runs.instances import construct
    from mezzanine_core.testing import portraits

    component = load_registry().get(request.kind, request.name)
    instance = construct(component, component.load_config().model_validate(request.config))
    return portraits.portrait(request.kind, instance, request.items)


def _main() -> None:
    """Answer the request on stdin; what the component prints goes to stderr."""
    # Under its own name, not as ``__main__``: that is what the request was pickled by.
    from mezzanine_core.testing.elsewhere import _answer

    request = pickle.load(sys.stdin.buffer)
    with redirect_stdout(sys.stderr):
        answer = _answer(request)
    sys.stdout.buffer.write(pickle.dumps(answer))


if __name__ == "__main__":
    _main()
