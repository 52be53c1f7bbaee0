"""torch.compile for the encoder, where a step spends its time. Names of weights, and so checkpoints, stay as they are.

Front end and objective are left alone: the one is a Fourier transform, the other a few matrix products.
"""

from __future__ import annotations

from typing import Any

import torch
from pytorch_lightning import Callback
from torch import nn

from trainer.config import Compile


class StepMarks(Callback):
    """Says where a step begins: what recorded launches gave in the step before it may be written over."""

    def on_train_batch_start(self, *_: Any) -> None:
        """Both views of a batch belong together, and nothing of an earlier batch is needed."""
        torch.compiler.cudagraph_mark_step_begin()  # type: ignore[no-untyped-call]


def compile_encoder(encoder: nn.Module, how: Compile) -> list[Callback]:
    """From now on `encoder` runs compiled, in place; returns what its training must call. Off: it stays as it is.

    on: whatever fuses. reduce-overhead: on a card also with its launches recorded, for small batches. The compiling
    itself happens at the first batch.
    """
    if how == "off":
        return []
    encoder.compile(dynamic=False, mode="reduce-overhead" if how == "reduce-overhead" else None)
    return [StepMarks()] if how == "reduce-overhead" else []
