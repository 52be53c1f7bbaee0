"""How the kernel is compiled: each operation of the source one correctly rounded operation of the card.

NVVM, the compiler of the card, fuses a multiply with an add unless told not to, and numba has no option to tell it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numba
from numba import cuda

#: Whether numba plays the card by itself: slowly, and without compiling anything.
SIMULATED = bool(getattr(numba.config, "ENABLE_CUDASIM", 0))

#: No link-time optimisation, whose compiler would have to be told again. `cuda.jit` heeds that where it is given the
#: function; as a decorator with options numba-cuda 0.30 forgets it, and optimises on machines with a card. Fewer
#: registers than the compiler would like, so that more threads are at hand while others wait for memory.
OPTIONS: dict[str, Any] = {} if SIMULATED else {"lto": False, "fastmath": False, "max_registers": 80}

if not SIMULATED:  # numba would warn of every call of few sounds
    cuda.core.config.CUDA_LOW_OCCUPANCY_WARNINGS = 0

_changing = threading.RLock()


@contextmanager
def unfused() -> Iterator[None]:
    """What is compiled for a card meanwhile, in any thread, has no fused multiply-add."""
    if SIMULATED:
        yield
        return
    nvvm = cuda.cudadrv.nvvm
    with _changing:
        plain = nvvm.compile_ir
        nvvm.compile_ir = lambda ir, **options: plain(ir, **{**options, "fma": False})
        try:
            yield
        finally:
            nvvm.compile_ir = plain
