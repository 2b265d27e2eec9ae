"""Latent dynamics: does a model of the world use the action?

:class:`~mezzanine_recipes_dynamics.config.LatentDynamicsConfig` holds the settings,
:class:`~mezzanine_recipes_dynamics.recipe.LatentDynamics` is the recipe, and
:func:`~mezzanine_recipes_dynamics.checkpoint.load_predictors` loads the predictors that a run left.
"""
