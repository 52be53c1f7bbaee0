"""torch.compile for the encoder, where a step spends its time. Names of weights, and so checkpoints, stay as they are.

Front end and objective are left alone: the one is a Fourier transform, the other a few matrix products.
"""

from __future__ import annotations

from torch import nn

from trainer.config import Compile


def compile_encoder(encoder: nn.Module, how: Compile) -> None:
    """From now on `encoder` runs compiled, in place. The compiling itself happens at the first batch.

    on: whatever fuses. reduce-overhead: on a card also with its launches recorded, for small batches.
    """
    encoder.compile(dynamic=False, mode="reduce-overhead" if how == "reduce-overhead" else None)
