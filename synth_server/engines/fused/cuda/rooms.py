"""Rooms: the memory of a card's blocks, allocated once. A block plays one sound of a piece, so pieces bound it.

What a sound needs is what it needs on a CPU: the shapes of `room.Room`, with the block in front.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from synth_server.engines.fused.grid import Grid
from synth_server.engines.fused.room import make_room
from synth_server.engines.fused.wiring import Wiring

#: Samples that a thread plays in a row. A block plays that many times its threads between two of its sums.
ROWS = 8


class Rooms(NamedTuple):
    """As `room.Room`, for G blocks; R is the number of rows of the matrix, V that of the oscillators."""

    human: Any
    """float64 (G, P)."""
    envelopes: Any
    """float32 (G, E, 12)."""
    lfos: Any
    """float32 (G, L, 7)."""
    lfo_phases: Any
    """uint32 (G, L)."""
    oscillators: Any
    """float32 (G, V, 6)."""
    phases: Any
    """uint32 (G, V)."""
    bases: Any
    """uint32 (G, V)."""
    levels: Any
    """float32 (G, V)."""
    gains: Any
    """Scale of each row, those of an oscillator side by side: row r at r // 2, r % 2; float32 (G, V + 1, 3)."""
    signals: Any
    """float32 (G, E, N)."""
    weights: Any
    """The weights of every row; float32 (G, R, I)."""
    values: Any
    """float32 (G, R, S)."""
    slopes: Any
    """float32 (G, R, S)."""
    slots: Any
    """What each thread played last of the oscillators that move others; float32 (G, slots, ROWS, threads)."""
    sound: Any
    """The sound before it is scaled; float32 (G, T)."""


def make_rooms(wiring: Wiring, grid: Grid, blocks: int, threads: int, empty: Callable[..., Any]) -> Rooms:
    """Room for so many blocks of so many threads; `empty` allocates like `numpy.empty`."""
    one = getattr(make_room, "py_func", make_room)(wiring, grid)
    same = {name: getattr(one, name) for name in Rooms._fields if name in one._fields}
    shapes = {name: (array.shape, array.dtype) for name, array in same.items()}
    shapes["gains"] = (len(wiring.oscillators) + 1, 3), np.float32
    shapes["weights"] = (len(one.values), len(wiring.inputs)), np.float32
    shapes["slots"] = (max(wiring.slots, 1), ROWS, threads), np.float32
    shapes["sound"] = (grid.samples,), np.float32
    return Rooms(**{name: empty((blocks, *shape), dtype) for name, (shape, dtype) in shapes.items()})


def bytes_of(rooms: Rooms) -> int:
    """How much memory they take."""
    return sum(array.nbytes for array in rooms)
