"""What a recipe does that overrides nothing."""

from pathlib import Path

import pytest

from mezzanine_core.config import RecipeConfig
from mezzanine_core.errors import ConfigError
from mezzanine_core.recipes import Recipe
from mezzanine_core.results import Results


class Silent(Recipe[RecipeConfig]):
    def run(self, ctx):
        return Results(metrics={})


def test_a_recipe_asks_for_no_latents_unless_it_says_so():
    assert list(Silent(RecipeConfig()).latent_requests(None)) == []


def test_a_recipe_predicts_nothing_unless_it_says_how():
    with pytest.raises(ConfigError, match="leave no model that predicts new items"):
        Silent(RecipeConfig()).predict(None, Path("out"), [{"text": "One."}])
