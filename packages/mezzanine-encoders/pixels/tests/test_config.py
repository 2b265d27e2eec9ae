import pytest
from pydantic import ValidationError

from mezzanine_encoders_pixels.config import PixelsConfig


@pytest.mark.parametrize(
    "settings",
    [{"size": 0}, {"size": 257}, {"centre": -1}, {"centre": 256}, {"dim": 0}, {"sise": 3}],
)
def test_values_out_of_range_are_refused(settings):
    with pytest.raises(ValidationError, match=next(iter(settings))):
        PixelsConfig(**settings)


@pytest.mark.parametrize(("settings", "values"), [({}, 48), ({"grayscale": True}, 16)])
def test_projection_may_not_lengthen(settings, values):
    PixelsConfig(size=4, dim=values, **settings)
    with pytest.raises(ValidationError, match=f"more than the {values} values"):
        PixelsConfig(size=4, dim=values + 1, **settings)
