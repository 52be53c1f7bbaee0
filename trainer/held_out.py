"""What is asked for before the training: held-out pairs, and the size of theta.

Pairs of a stream are held out by their indices, which no training reaches. Those of recordings alone are other crops of
the clips that are trained on, for there are no other clips; two places of each, also where the training has one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pairstream import StreamSpec, connect
from pairstream.messages import FIRST_HELD_OUT
from trainer.sources.recordings import RecordedPairs


def held_out_pairs(
    url: str, spec: StreamSpec, pairs: int, *, experiment: str = "default", timeout: float = 60.0
) -> NDArray[np.float32]:
    """Audio (pairs, 2, T), float32, of the blocks from `FIRST_HELD_OUT` on."""
    stop = FIRST_HELD_OUT - (-pairs // spec.block_pairs)
    with connect(url, spec, experiment=experiment, timeout=timeout) as client:
        blocks = [np.asarray(block.audio, dtype=np.float32) for block in client.blocks(FIRST_HELD_OUT, stop)]
    return np.concatenate(blocks)[:pairs]


def parameters_of_theta(url: str, spec: StreamSpec, *, timeout: float = 60.0) -> int:
    """P, the numbers of a theta of this stream."""
    with connect(url, spec, timeout=timeout) as client:
        return client.layout.parameters


def recorded_held_out(recorded: RecordedPairs, pairs: int) -> NDArray[np.float32]:
    """Audio (n, 2, T), float32, of n different clips: `pairs` of them, or all if there are fewer."""
    clips = len(recorded.clips)
    first = -(-FIRST_HELD_OUT // clips) * clips  # where a pass begins, in which every clip comes once
    return recorded.audio(first, min(pairs, clips)).astype(np.float32)
