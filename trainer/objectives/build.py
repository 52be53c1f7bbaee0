"""From a recipe to its objective: the only place that knows the objectives' names."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from trainer.encoders.encoder import Encoder
from trainer.objectives.alignment_uniformity import alignment_uniformity
from trainer.objectives.barlow_twins import barlow_twins
from trainer.objectives.byol import Byol
from trainer.objectives.joint_embedding import JointEmbedding, Terms
from trainer.objectives.nt_xent import nt_xent
from trainer.objectives.objective import Objective
from trainer.objectives.projector import projector
from trainer.objectives.theta import WithTheta
from trainer.objectives.vicreg import vicreg
from trainer.recipe import Recipe

FORMULAS: dict[str, Callable[[Tensor, Tensor], Terms]] = {
    "alignment-uniformity": alignment_uniformity,
    "vicreg": vicreg,
    "barlow-twins": barlow_twins,
}


def seeded_objective(recipe: Recipe, encoder: Encoder, seed: int, parameters: int = 0) -> Objective:
    """The recipe's objective for `encoder`, its networks the same for a seed on every machine.

    The global generator is not touched. `parameters` is P, the numbers of a theta; needed with `theta_weight` only.

    Raises:
        ConfigError: theta is to be regressed, and there is none.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        objective = _objective(recipe, encoder)
        if recipe.theta_weight == 0:
            return objective
        size = encoder.embedding_size
        return WithTheta(objective, inputs=size, parameters=parameters, weight=recipe.theta_weight)


def _objective(recipe: Recipe, encoder: Encoder) -> Objective:
    project = projector(encoder.embedding_size, recipe.projector, standardised=recipe.objective == "byol")
    if recipe.objective == "byol":
        size = recipe.projector[-1] if recipe.projector else encoder.embedding_size
        hidden = recipe.projector[0] if recipe.projector else encoder.embedding_size
        return Byol(encoder, project, projector(size, (hidden, size)), recipe.tau)
    if recipe.objective == "nt-xent":
        return JointEmbedding(partial(nt_xent, temperature=recipe.temperature), project)
    return JointEmbedding(FORMULAS[recipe.objective], project)
