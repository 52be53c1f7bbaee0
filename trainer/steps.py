"""Where an optimiser step ends: after one batch, or after the last of those that are accumulated.

Between two steps the weights, the optimiser and the cursor belong together; in the middle of one they do not. So a
checkpoint is written, a signal obeyed and a record made only where a step ends.
"""

from __future__ import annotations

from pytorch_lightning import Trainer


def ends_step(trainer: Trainer, batch_idx: int) -> bool:
    """Whether the optimiser moved with this batch, the `batch_idx`-th of the run from 0 on."""
    return (batch_idx + 1) % trainer.accumulate_grad_batches == 0
