"""Card: which CUDA device a name means, or why there is none. Imports numba.cuda when first asked."""

from __future__ import annotations

import importlib.util
import re

import numba

from pairstream.errors import ConfigError


def find_card(device: str) -> int:
    """The number of the card that `device` names: cuda or cuda:N.

    Raises:
        ConfigError: the name means nothing, or there is no numba-cuda, no driver or no such card.
    """
    match = re.fullmatch(r"cuda(?::(\d{1,4}))?", device)
    if match is None:
        raise ConfigError(f"device={device!r} is not a device of this engine; use cpu, cuda or cuda:N")
    if not getattr(numba.config, "ENABLE_CUDASIM", 0) and importlib.util.find_spec("numba_cuda") is None:
        raise ConfigError(f"device={device!r} needs numba-cuda; pip install 'pairstream[cuda]', or use cpu")
    from numba import cuda  # noqa: PLC0415

    if not cuda.is_available():
        reason = " ".join(str(cuda.cuda_error() or "no card was found").split())
        raise ConfigError(f"device={device!r} cannot be used ({reason}); use cpu, or a machine with an NVIDIA card")
    number, cards = int(match[1] or 0), len(cuda.gpus)
    if number >= cards:
        raise ConfigError(f"device={device!r} is not there; use one of {', '.join(f'cuda:{n}' for n in range(cards))}")
    return number


def multiprocessors(number: int) -> int:
    """How many blocks of threads the card works on side by side, at least; 1 in numba's simulator of a card."""
    from numba import cuda  # noqa: PLC0415

    return int(getattr(cuda.gpus[number], "MULTIPROCESSOR_COUNT", 1))
