from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest


@pytest.fixture
def random_images() -> Callable[..., npt.NDArray[np.uint8]]:
    """Makes images of independent random pixels, the same for the same arguments."""

    def make(count: int, height: int, width: int, seed: int = 0) -> npt.NDArray[np.uint8]:
        rng = np.random.default_rng([seed, count, height, width])
        return rng.integers(0, 256, (count, height, width, 3), dtype=np.uint8)

    return make
