"""Planning in latent space, with or without a recipe; see ``docs/planning.md``.

A cost (:class:`LatentCost` of a latent model, or any :class:`Costable`) says what an action
sequence is worth, a planner (:class:`CEM`, :class:`MPPI`, :class:`GradientDescent`) finds one of
low cost, and :func:`draw_candidates` with :func:`rank_true` ask whether a model knows the action
that was taken.
"""

from mezzanine_recipes_dynamics.planning.actions import Prior, check_actions
from mezzanine_recipes_dynamics.planning.bounds import Bounds, Box, L1Ball, project_l1
from mezzanine_recipes_dynamics.planning.cem import CEM, CEMSettings
from mezzanine_recipes_dynamics.planning.costs import LatentCost, LatentModel, expand_info
from mezzanine_recipes_dynamics.planning.gradient import GradientDescent, GradientSettings
from mezzanine_recipes_dynamics.planning.models import ResidualMLP
from mezzanine_recipes_dynamics.planning.mppi import MPPI, MPPISettings
from mezzanine_recipes_dynamics.planning.noise import GoalNoise, colouring, goal_seeds
from mezzanine_recipes_dynamics.planning.proposals import RidgeProposal
from mezzanine_recipes_dynamics.planning.protocols import (
    Costable,
    Info,
    Plan,
    Planner,
    Rescorable,
)
from mezzanine_recipes_dynamics.planning.retrieval import (
    candidate_costs,
    draw_candidates,
    rank_true,
)

__all__ = [
    "CEM",
    "MPPI",
    "Bounds",
    "Box",
    "CEMSettings",
    "Costable",
    "GoalNoise",
    "GradientDescent",
    "GradientSettings",
    "Info",
    "L1Ball",
    "LatentCost",
    "LatentModel",
    "MPPISettings",
    "Plan",
    "Planner",
    "Prior",
    "Rescorable",
    "ResidualMLP",
    "RidgeProposal",
    "candidate_costs",
    "check_actions",
    "colouring",
    "draw_candidates",
    "expand_info",
    "goal_seeds",
    "project_l1",
    "rank_true",
]
