"""Tiles that change places keep every bit."""

from __future__ import annotations

import numba
import numpy as np

from synth_server.engines.fused.tile import TILE, copy_row, transpose


@numba.njit
def _turn(work: np.ndarray, source: int, across: int, target: int, along: int) -> None:
    transpose(work, source, across, target, along)


@numba.njit
def _copy(source: np.ndarray, start: int, target: np.ndarray, to: int) -> None:
    copy_row(source, start, target, to)


def test_a_tile_is_transposed_between_rows_of_other_lengths() -> None:
    words = np.random.default_rng(0).integers(0, 2**32, 4_000, dtype=np.uint32)
    work = words.copy()
    _turn(work, 5, 32, 1_001, 80)
    wanted = words.copy()
    for r in range(TILE):
        for c in range(TILE):
            wanted[1_001 + c * 80 + r] = words[5 + r * 32 + c]
    assert np.array_equal(work, wanted)


def test_a_row_is_copied_between_arrays_of_other_types_bit_by_bit() -> None:
    words = np.random.default_rng(0).integers(0, 2**32, 100, dtype=np.uint32)
    target = np.zeros(100, np.float32)
    _copy(words, 7, target, 33)
    wanted = np.zeros(100, np.uint32)
    wanted[33 : 33 + TILE] = words[7 : 7 + TILE]
    assert np.array_equal(target.view(np.uint32), wanted)
