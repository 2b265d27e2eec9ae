"""What tests of the cache share: rows to store, and real processes that store them."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

ENCODER = "5eed" * 16

_PROCESS = """
import signal, sys, time
from pathlib import Path
import numpy as np
from mezzanine_core.builtin.local import LocalConfig, LocalExecutor
from mezzanine_core.cache import LatentCache
from mezzanine_core.config import EncoderConfig
from mezzanine_core.encoders import Encoder
from mezzanine_core.latents import encode_column
from mezzanine_core.progress import Progress
from mezzanine_core.worlds import ArrayColumn

ENCODER, ROOT = sys.argv[1], Path(sys.argv[2])
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it

class Slow(Encoder[EncoderConfig]):
    accepts = frozenset({"vector"})
    dim = 4
    seconds = 0.0
    def fingerprint(self):
        return ENCODER
    def encode(self, batch):
        time.sleep(self.seconds)
        print("encoded", len(batch), flush=True)
        return np.ascontiguousarray(batch[:, :4] * 2)

class Column(ArrayColumn):
    _FETCH_ROWS = 8

def items(n):
    return np.random.default_rng(7).standard_normal((n, 6), dtype=np.float32)

def encode(n, seconds, **settings):
    encoder = Slow(EncoderConfig(name="slow"))
    encoder.seconds = seconds
    column = Column(items(n), "vector")
    cache = LatentCache(ROOT, **settings)
    with LocalExecutor(LocalConfig(workers=1)) as executor, Progress(quiet=True) as progress:
        return encode_column(column, encoder, cache, executor, progress, label="items")
"""


@pytest.fixture
def encoder() -> str:
    """The fingerprint of an encoder."""
    return ENCODER


@pytest.fixture(scope="session")
def rows() -> Callable[..., tuple[np.ndarray, np.ndarray]]:
    """Makes ``n`` distinct keys, uint8 [n, 16], and random latents for them, float32 [n, dim]."""

    def make(n: int, dim: int = 5, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(seed)
        keys = rng.integers(0, 256, (n, 16), dtype=np.uint8)
        return keys, rng.standard_normal((n, dim), dtype=np.float32)

    return make


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Callable[[str], subprocess.Popen[str]]]:
    """Starts a real Python process that works on the cache at ``tmp_path / "cache"``.

    Its text may use ``encode(n, seconds, **settings)``, which encodes ``n`` fixed items in batches
    of 8 that take ``seconds`` each and prints what it encodes, and ``ROOT`` and ``ENCODER``.
    """
    started = []

    def start(text: str) -> subprocess.Popen[str]:
        started.append(
            subprocess.Popen(
                [
                    sys.executable,
                    "-c",
                    _PROCESS + textwrap.dedent(text),
                    ENCODER,
                    str(tmp_path / "cache"),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
        return started[-1]

    yield start
    for one in started:
        if one.poll() is None:
            one.kill()
        one.communicate()
