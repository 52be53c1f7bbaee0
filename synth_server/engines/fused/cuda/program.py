"""Program: a patch and a format as a card has them: the tables in its memory, and how many blocks play side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import cuda
from numpy.typing import NDArray

from synth_server.engines.fused.cuda.rooms import ROWS, Rooms, bytes_of, make_rooms
from synth_server.engines.fused.grid import Grid
from synth_server.engines.fused.wiring import Wiring

#: Blocks per multiprocessor: enough that some compute while others wait.
CROWD = 8
#: Memory of a lane's rooms, in bytes, at most; one block has room in any case.
MOST_BYTES = 1 << 28


@dataclass(frozen=True, kw_only=True)
class Program:
    """What all lanes of a card have in common; the arrays are in the card's memory."""

    wiring: Wiring
    """The patch."""
    grid: Grid
    """The format."""
    segments: Any
    """The segment of every ROWS-th sample, and of the one after the last."""
    host: tuple[Wiring, Grid]
    """The same in the host's memory."""
    threads: int
    """Threads per block."""
    blocks: int
    """Blocks of one launch, at most, each of which plays one sound."""

    @property
    def parameters(self) -> int:
        """P, the width of theta."""
        return len(self.host[0].minimum)

    @property
    def samples(self) -> int:
        """T, samples of a sound."""
        return self.grid.samples

    def rooms(self) -> Rooms:
        """Memory for the blocks of one lane."""
        return make_rooms(*self.host, self.blocks, self.threads, cuda.device_array)


def make_program(wiring: Wiring, grid: Grid, *, threads: int, multiprocessors: int) -> Program:
    """The program of a patch in a format, on the card at hand."""
    room = bytes_of(make_rooms(wiring, grid, 1, threads, np.empty))
    return Program(
        wiring=Wiring(*map(_on_card, wiring)),
        grid=Grid(*map(_on_card, grid)),
        segments=cuda.to_device(segments_of(grid)),
        host=(wiring, grid),
        threads=threads,
        blocks=max(1, min(CROWD * multiprocessors, MOST_BYTES // room)),
    )


def segments_of(grid: Grid) -> NDArray[np.uint32]:
    """The segment that holds each ROWS-th sample; for the one after the last sample, any."""
    last = np.searchsorted(grid.starts, np.arange(0, grid.samples + ROWS, ROWS), side="right") - 1
    return last.astype(np.uint32)


def _on_card(value: Any) -> Any:
    return cuda.to_device(value) if isinstance(value, np.ndarray) else value
