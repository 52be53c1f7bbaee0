"""Room: the memory one thread works in, allocated once per call and used again for every sound."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from synth_server.engines.fused.block import ASIDE, ROWS, SIGNAL, SIZE
from synth_server.engines.fused.grid import Grid
from synth_server.engines.fused.jit import loop
from synth_server.engines.fused.wiring import Wiring


class Room(NamedTuple):
    """S segments, N control samples; a row is one output: two for each oscillator (pitch, amp), one for the noise."""

    human: NDArray[np.float64]
    """Human units (P,)."""
    envelopes: NDArray[np.float32]
    """Settings of the envelopes (E, 12)."""
    lfos: NDArray[np.float32]
    """Settings of the LFOs (L, 7)."""
    lfo_phases: NDArray[np.uint32]
    """Where they start (L,)."""
    oscillators: NDArray[np.float32]
    """Settings of the oscillators (V, 6)."""
    phases: NDArray[np.uint32]
    """Where they stand (V,)."""
    bases: NDArray[np.uint32]
    """Base steps of FM oscillators, greatest steps of others (V,)."""
    gains: NDArray[np.float32]
    """Scale of each row (2 V + 1,)."""
    levels: NDArray[np.float32]
    """What an oscillator's samples are multiplied by in the mix (V,); most have their level in `gains`."""
    signals: NDArray[np.float32]
    """Envelopes and LFOs (E, N)."""
    turned: NDArray[np.uint32]
    """Phases of one LFO (N,)."""
    weights: NDArray[np.float32]
    """The weights of one row (I,)."""
    line: NDArray[np.float32]
    """One row at control rate (N + 1,)."""
    values: NDArray[np.float32]
    """Rows at the start of each segment (2 V + 1, S)."""
    slopes: NDArray[np.float32]
    """By how much they change in it (2 V + 1, S)."""
    work: NDArray[np.uint32]
    """The block at work, see `block.py` (SIZE,)."""
    sound: NDArray[np.float32]
    """The samples, before they are scaled, and room for what the last lanes write beyond them (T + ROWS,)."""
    slots: NDArray[np.uint32]
    """The samples of oscillators that move others (slots, up to LONGEST + 1 rows of LANES)."""


@loop
def make_room(wiring: Wiring, grid: Grid) -> Any:
    """Room for one thread."""
    envelopes, lfos, oscillators = len(wiring.envelopes), len(wiring.lfos), len(wiring.oscillators)
    rows, segments = 2 * oscillators + 1, len(grid.starts)
    return Room(
        np.empty(len(wiring.minimum), np.float64),
        np.empty((envelopes, 12), np.float32),
        np.empty((lfos, 7), np.float32),
        np.empty(lfos, np.uint32),
        np.empty((oscillators, 6), np.float32),
        np.empty(oscillators, np.uint32),
        np.empty(oscillators, np.uint32),
        np.empty(rows, np.float32),
        np.empty(oscillators, np.float32),
        np.empty((envelopes, grid.controls), np.float32),
        np.empty(grid.controls, np.uint32),
        np.empty(len(wiring.inputs), np.float32),
        np.empty(grid.controls + 1, np.float32),
        np.empty((rows, segments), np.float32),
        np.empty((rows, segments), np.float32),
        np.zeros(SIZE, np.uint32),
        np.empty(grid.samples + ROWS, np.float32),
        np.zeros((wiring.slots, ASIDE - SIGNAL), np.uint32),
    )
