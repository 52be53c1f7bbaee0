"""PairModule: one optimiser step, from a batch of pairs to the loss.

The two views go through the encoder one after the other, so each has batch statistics of its own,
as in the paper. It knows no stream, no folder and no clock.
"""

from __future__ import annotations

from typing import Any

from pytorch_lightning import LightningModule
from pytorch_lightning.utilities.types import OptimizerLRScheduler

from pairstream.torch import PairBatch
from trainer.augment.masks import Masks
from trainer.checkpoints import PLAN_KEY
from trainer.model import untrained_model
from trainer.objectives.build import seeded_objective
from trainer.objectives.objective import Views
from trainer.optimisers import build_optimiser
from trainer.plan import Plan
from trainer.weights import check_weights


class PairModule(LightningModule):
    """The model of a plan, and the objective that it is trained for.

    Args:
        plan: what to build.
        parameters_of_theta: P of the stream; needed where theta is regressed.
    """

    def __init__(self, plan: Plan, parameters_of_theta: int = 0) -> None:
        super().__init__()
        self.plan = plan
        self.model = untrained_model(plan.recipe, plan.seed)
        self._masks = Masks(plan.recipe.augmentation, seed=plan.spec.seed)
        self.objective = seeded_objective(plan.recipe, self.model.encoder, plan.seed, parameters_of_theta)

    def training_step(self, batch: PairBatch, batch_idx: int) -> dict[str, Any]:
        """N pairs (N, 2, T) -> the objective's scalars, and the `embeddings` (N, D) of both views."""
        first = batch.index * self.plan.spec.block_pairs + batch.pair
        a, b = (self._masks(self.model.pictures(audio), first, view) for view, audio in enumerate((batch.a, batch.b)))
        views = Views(a, b, self.model.encoder(a), self.model.encoder(b), batch.theta)
        return {**self.objective(views), "embeddings": (views.x.detach().clone(), views.y.detach().clone())}

    def optimizer_step(self, epoch: int, batch_idx: int, optimizer: Any, optimizer_closure: Any = None) -> None:
        """Before any callback can write a checkpoint, the objective's own networks follow."""
        super().optimizer_step(epoch, batch_idx, optimizer, optimizer_closure)
        self.objective.after_step(self.model.encoder, (self.global_step + 1) / self.plan.recipe.max_steps)

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """The recipe's optimiser, its schedule moving once a step."""
        recipe = self.plan.recipe
        optimiser, schedule = build_optimiser(recipe, self.parameters(), self.plan.batch_pairs * recipe.accumulate)
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Before its weights are taken: they must be those of this module."""
        check_weights(checkpoint["state_dict"], self, "the checkpoint")

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """A checkpoint says by itself what it was trained on and how."""
        checkpoint[PLAN_KEY] = self.plan.as_dict()
