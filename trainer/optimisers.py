"""From a recipe to an optimiser and its schedule: the paper's SGD, the Adam of its code, and AdamW.

The paper's code writes lr = 0.12 * (B // 256) * world, which is 0 below 256 pairs and ignores the rest
above; here the same rule is a true division. Its milestones count epochs; here, shares of the run.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from torch.nn import Parameter
from torch.optim import SGD, Adam, AdamW, Optimizer
from torch.optim.lr_scheduler import LambdaLR

from trainer.recipe import Recipe

REFERENCE_PAIRS = 256
DECAY = 0.1


def learning_rate(recipe: Recipe, step_pairs: int) -> float:
    """The whole rate for steps of `step_pairs` pairs over all processes: linear for sgd, as given for the others."""
    return recipe.lr * step_pairs / REFERENCE_PAIRS if recipe.optimiser == "sgd" else recipe.lr


def factor_at(recipe: Recipe, step: int) -> float:
    """The factor on the whole rate after `step` steps: warm-up times schedule."""
    warming = round(recipe.warmup * recipe.max_steps)
    if step < warming:
        return (step + 1) / (warming + 1)
    if recipe.schedule == "cosine":
        return (1.0 + math.cos(math.pi * (step - warming) / max(1, recipe.max_steps - warming))) / 2.0
    return float(DECAY ** sum(step >= round(share * recipe.max_steps) for share in recipe.milestones))


def build_optimiser(recipe: Recipe, parameters: Iterable[Parameter], step_pairs: int) -> tuple[Optimizer, LambdaLR]:
    """Optimiser and per-step schedule for the parameters that are trained; in one kernel if they are on a card."""
    trained = [parameter for parameter in parameters if parameter.requires_grad]
    rate, penalty = learning_rate(recipe, step_pairs), recipe.weight_decay
    fused = all(parameter.is_cuda for parameter in trained) or None
    optimiser: Optimizer
    if recipe.optimiser == "sgd":
        optimiser = SGD(trained, lr=rate, weight_decay=penalty, momentum=recipe.momentum, fused=fused)
    else:
        kind = Adam if recipe.optimiser == "adam" else AdamW
        optimiser = kind(trained, lr=rate, weight_decay=penalty, fused=fused)
    return optimiser, LambdaLR(optimiser, lambda step: factor_at(recipe, step))
