"""Arrays whose memory is that of a `bytes` object, which is all that grpcio takes and gives.

An engine writes its audio into one, and gRPC sends it as it is: on the way to a client over gRPC that saves one of two
copies that a worker makes of a block. What a client has received becomes such an array, so a relay saves it, too.
"""

from __future__ import annotations

import ctypes
import math
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from pairstream.header import Frame

_new_bytes = ctypes.pythonapi.PyBytes_FromStringAndSize
_new_bytes.restype, _new_bytes.argtypes = ctypes.py_object, (ctypes.c_void_p, ctypes.c_ssize_t)


def empty(shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
    """As `numpy.empty`: an array that is not filled yet."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    # Python lets bytes be written to that were made like this, as long as nobody else has them.
    return array_of(_new_bytes(None, size)).view(dtype).reshape(shape)


def array_of(memory: bytes) -> NDArray[np.uint8]:
    """The memory of bytes that nobody else has, as an array that may be written to like that of any other wire."""
    return np.asarray(_Memory(memory))


def bytes_of(frame: Frame) -> bytes:
    """The bytes of a frame: those that it is the whole memory of, or else a copy."""
    if isinstance(frame, bytes):
        return frame
    owner: object = frame
    while isinstance(owner, np.ndarray | memoryview):
        owner = owner.base if isinstance(owner, np.ndarray) else owner.obj
    return owner.memory if isinstance(owner, _Memory) and len(owner.memory) == len(frame) else bytes(frame)


class _Memory:
    """What such an array has as its base."""

    def __init__(self, memory: bytes) -> None:
        self.memory = memory
        address = np.frombuffer(memory, np.uint8).ctypes.data if memory else 0
        self.__array_interface__ = {"version": 3, "shape": (len(memory),), "typestr": "|u1", "data": (address, False)}
