"""From a recipe to an optimiser and its schedule: the paper's SGD and the Adam of its code.

The paper's code writes lr = 0.12 * (B // 256) * world, which is 0 below 256 pairs and ignores the rest
above; here the same rule is a true division. Its milestones count epochs; here, shares of the run.
"""

from __future__ import annotations

from collections.abc import Iterable

from torch.nn import Parameter
from torch.optim import SGD, Adam, Optimizer
from torch.optim.lr_scheduler import LambdaLR

from trainer.recipe import Recipe

REFERENCE_PAIRS = 256
DECAY = 0.1


def learning_rate(recipe: Recipe, step_pairs: int) -> float:
    """The initial rate for steps of `step_pairs` pairs over all processes: linear for sgd, as given for adam."""
    return recipe.lr * step_pairs / REFERENCE_PAIRS if recipe.optimiser == "sgd" else recipe.lr


def decay_at(recipe: Recipe, step: int) -> float:
    """The factor on the learning rate after `step` steps: a tenth for every milestone reached."""
    reached = sum(step >= round(share * recipe.max_steps) for share in recipe.milestones)
    return float(DECAY**reached)


def build_optimiser(recipe: Recipe, parameters: Iterable[Parameter], step_pairs: int) -> tuple[Optimizer, LambdaLR]:
    """Optimiser and per-step schedule. Neither has momentum of the paper's parent recipe."""
    rate = learning_rate(recipe, step_pairs)
    optimiser: Optimizer
    if recipe.optimiser == "sgd":
        optimiser = SGD(parameters, lr=rate, weight_decay=recipe.weight_decay)
    else:
        optimiser = Adam(parameters, lr=rate, weight_decay=recipe.weight_decay)
    return optimiser, LambdaLR(optimiser, lambda step: decay_at(recipe, step))
