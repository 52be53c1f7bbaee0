"""Tile: what is done to 16 by 16 numbers at once, which numba cannot say and processors have instructions for.

Lanes stand side by side while they are computed and one after the other in a sound; to move the numbers one by one
would be a tenth of all work. No arithmetic here: bits are copied, on every processor the same.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils

from synth_server.engines.fused.jit import instructions

#: Rows and columns of a tile.
TILE = 16

_ROW = ir.VectorType(cgutils.int32_t, TILE)
_INDEX = types.intp


@instructions
def transpose(context: Any, work: Any, source: Any, across: Any, target: Any, along: Any) -> Any:
    """work[target + c * along + r] = work[source + r * across + c] for rows r and columns c of one tile.

    `work` is a flat uint32 array that holds both tiles; they may not overlap.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array, source, across, target, along = arguments
        data = _data(context, builder, signature.args[0], array)

        def place(start: Any, stride: Any, number: int) -> Any:
            return _row_at(builder, data, builder.add(start, builder.mul(stride, stride.type(number))))

        rows = [builder.load(place(source, across, number), align=4) for number in range(TILE)]
        for number, row in enumerate(_turned(builder, rows)):
            builder.store(row, place(target, along, number), align=4)
        return context.get_dummy_value()

    return types.void(work, _INDEX, _INDEX, _INDEX, _INDEX), generate


@instructions
def copy_row(context: Any, source: Any, start: Any, target: Any, to: Any) -> Any:
    """target[to : to + TILE] = source[start : start + TILE], bit by bit, for flat arrays of 32-bit numbers."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        source, start, target, to = arguments
        row = builder.load(_row_at(builder, _data(context, builder, signature.args[0], source), start), align=4)
        builder.store(row, _row_at(builder, _data(context, builder, signature.args[2], target), to), align=4)
        return context.get_dummy_value()

    return types.void(source, _INDEX, target, _INDEX), generate


def _data(context: Any, builder: Any, kind: Any, array: Any) -> Any:
    """Where an array begins."""
    return context.make_array(kind)(context, builder, array).data


def _row_at(builder: Any, data: Any, offset: Any) -> Any:
    """A pointer to the row at an offset."""
    return builder.bitcast(builder.gep(data, [offset]), _ROW.as_pointer())


def _turned(builder: Any, rows: list[Any]) -> list[Any]:
    """The columns of the rows: 1 by 1 blocks change places across the diagonal, then 2 by 2, 4 by 4, 8 by 8."""
    width = 1
    while width < TILE:
        upper = [c if c & width == 0 else TILE + c - width for c in range(TILE)]
        lower = [c + width if c & width == 0 else TILE + c for c in range(TILE)]
        for r in [r for r in range(TILE) if r & width == 0]:
            pair = rows[r], rows[r + width]
            rows[r], rows[r + width] = (builder.shuffle_vector(*pair, _ROW(mask)) for mask in (upper, lower))
        width *= 2
    return rows
