"""Scalar functions over whole arrays, and how far they are off."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

f32, u32 = np.float32, np.uint32


def over(function: Any, *arrays: NDArray[Any], to: type[np.generic] = np.float32) -> NDArray[Any]:
    """The function of every element, compiled as the kernels compile it."""

    @numba.njit(error_model="numpy")
    def one(x: Any, out: Any) -> None:
        for i in range(len(x)):
            out[i] = function(x[i])

    @numba.njit(error_model="numpy")
    def two(x: Any, y: Any, out: Any) -> None:
        for i in range(len(x)):
            out[i] = function(x[i], y[i])

    out = np.empty(len(arrays[0]), to)
    (one, two)[len(arrays) - 1](*arrays, out)
    return out


def relative(found: NDArray[Any], wanted: NDArray[np.float64]) -> float:
    return float((np.abs(found.astype(np.float64) - wanted) / np.abs(wanted)).max())


def every_float(low: float, high: float, step: int) -> NDArray[np.float32]:
    """Every `step`-th float32 from low to high, both above 0."""
    first, last = (int(f32(x).view(u32)) for x in (low, high))
    return np.append(np.arange(first, last, step, dtype=u32), u32(last)).view(f32)
