"""ContrastiveModule: one optimiser step, from a batch of pairs to the loss.

The two views go through the encoder one after the other, so each has batch statistics of its own,
as in the paper. With several processes every one sees the embeddings of all, with gradients.
It knows no stream, no folder and no clock.
"""

from __future__ import annotations

from typing import Any

from pytorch_lightning import LightningModule
from pytorch_lightning.utilities.types import OptimizerLRScheduler
from torch import Tensor

from pairstream.torch import PairBatch
from trainer.checkpoints import PLAN_KEY
from trainer.losses.alignment_uniformity import alignment_uniformity
from trainer.model import untrained_model
from trainer.optimisers import build_optimiser
from trainer.plan import Plan


class ContrastiveModule(LightningModule):
    """The model of a plan, and the loss it learns by."""

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.plan = plan
        self.model = untrained_model(plan.recipe, plan.seed)

    def training_step(self, batch: PairBatch, batch_idx: int) -> dict[str, Tensor]:
        """N pairs (N, 2, T) -> loss, alignment and uniformity, scalars."""
        terms = alignment_uniformity(self._of_all(self.model(batch.a)), self._of_all(self.model(batch.b)))
        return {
            "loss": terms.loss,
            "alignment": terms.alignment.detach(),
            "uniformity": terms.uniformity.detach(),
        }

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """The recipe's optimiser, its schedule moving once a step."""
        step_pairs = self.plan.recipe.batch_pairs or self.plan.spec.block_pairs * self.trainer.world_size
        optimiser, schedule = build_optimiser(self.plan.recipe, self.model.parameters(), step_pairs)
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """A checkpoint says by itself what it was trained on and how."""
        checkpoint[PLAN_KEY] = self.plan.as_dict()

    def _of_all(self, embedding: Tensor) -> Tensor:
        """Embeddings (N, D) of this process -> (W * N, D) of all W, differentiable."""
        if self.trainer.world_size == 1:
            return embedding
        gathered: Any = self.all_gather(embedding, sync_grads=True)  # (W, N, D)
        of_all: Tensor = gathered.flatten(0, 1)
        return of_all
