"""Out of memory, in one line that says what to do, wherever torch or NumPy say it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from pairstream.errors import MemoryLimitError

#: How torch's allocators for the CPU begin when they give up; they raise a plain RuntimeError.
CPU_ALLOCATORS = ("DefaultCPUAllocator", "not enough memory", "can't allocate memory")


@contextmanager
def enough_memory(doing: str, remedy: str) -> Iterator[None]:
    """Whatever means "out of memory" in the block becomes a MemoryLimitError that says what was done and what helps."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise MemoryLimitError(f"out of memory while {doing} ({said}); {remedy}") from error


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception is torch's, CUDA's or Python's way to say so."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in CPU_ALLOCATORS)
