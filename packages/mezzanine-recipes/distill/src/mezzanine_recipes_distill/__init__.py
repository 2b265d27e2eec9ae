"""The warrant gap: measured, and distilled into a student that needs one forward pass.

:class:`~mezzanine_recipes_distill.config.SymmetryDistillConfig` holds the settings,
:class:`~mezzanine_recipes_distill.recipe.SymmetryDistill` is the recipe, and
:func:`~mezzanine_recipes_distill.students.load_student` loads a student that a run left.
"""
