"""How the functions of this package are compiled, in one place. No mathematics.

No fast-math, and numba passes LLVM no licence to fuse a multiply with an add: each operation of the source is one
correctly rounded operation of the machine, so the bytes are those of the source and not those of a processor.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numba
import numba.extending

from synth_server.kept import kept

Function = TypeVar("Function", bound=Callable[..., Any])

#: Division by zero gives inf as in IEEE 754, instead of an exception; indices are not checked.
_OPTIONS: dict[str, Any] = {"error_model": "numpy", "boundscheck": False, "fastmath": False}


def shared(function: Function) -> Function:
    """A function of one sample or one sound, compiled into those that call it; for CUDA as well as for a CPU."""
    compiled: Function = numba.njit(forceinline=True, **_OPTIONS)(function)
    return compiled


def loop(function: Function) -> Function:
    """A loop over a row of samples on a CPU, a function of its own, so that LLVM sees few arrays at once."""
    compiled: Function = numba.njit(**_OPTIONS)(function)
    return compiled


def entry(function: Callable[..., Any]) -> Callable[..., Any]:
    """What Python calls: compiled once and kept; other Python threads run beside it."""
    return kept(function, nogil=True, **_OPTIONS)


def instructions(function: Callable[..., Any]) -> Callable[..., Any]:
    """What a CPU's kernels cannot say in Python, said to LLVM; numba gives the first argument, its typing context."""
    compiled: Callable[..., Any] = numba.extending.intrinsic(function)
    return compiled


def sources() -> int:
    """A number that changes with any file of this package.

    numba looks at one file to tell whether its cache is stale, and at the closure: an entry that encloses this
    number is compiled anew when any of the functions it calls has changed.
    """
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return int.from_bytes(digest.digest()[:7], "little")
