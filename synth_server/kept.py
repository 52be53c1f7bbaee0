"""Functions compiled once per kind of processor and kept on disk: numba's cache, and what is said of it.

numba keeps compiled code in NUMBA_CACHE_DIR if that is set, else beside the source, else in the user's own cache,
whichever can be written first. Where none can, it refuses to compile at all; here it is compiled anew at every start.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numba
from numba.core import config, event

_log = logging.getLogger(__name__)

REMEDY = "make NUMBA_CACHE_DIR a folder that this process can write"


def kept(function: Callable[..., Any], *, quick: bool = False, **options: Any) -> Callable[..., Any]:
    """`numba.njit(**options)` of a function, whose machine code is kept for the next start if that is possible.

    That a compilation begins is announced, unless it is `quick`.
    """
    if config.DISABLE_JIT:  # type: ignore[attr-defined]  # nothing is compiled, as in a simulator
        return function
    try:
        compiled: Callable[..., Any] = numba.njit(cache=True, **options)(function)
    except RuntimeError as error:
        if "no locator" not in str(error):
            raise
        compiled = numba.njit(**options)(function)
    if trouble := trouble_with(compiled):
        _tell(f"{trouble}; {REMEDY}")
    if not quick:
        _announcer.functions.add(compiled)
    return compiled


def folder_of(compiled: Any) -> Path | None:
    """Where the code of a function from `kept` is kept; None if nowhere."""
    path = compiled.stats.cache_path
    return Path(path) if path else None


def trouble_with(compiled: Any) -> str:
    """Why the code of a function from `kept` is not kept, or not where it should be; empty if all is well."""
    folder, asked = folder_of(compiled), os.environ.get("NUMBA_CACHE_DIR")
    if folder is None:
        return "compiled code cannot be kept, so every start takes some ten seconds longer"
    if asked and not folder.is_relative_to(Path(asked).absolute()):
        return f"NUMBA_CACHE_DIR={asked} cannot be written, so compiled code is kept elsewhere"
    return ""


@cache
def _tell(warning: str) -> None:
    """Once, however many functions it is about."""
    _log.warning("%s", warning)


class _Announcer(event.Listener):
    """Says that compiling has begun, since a first start that is silent for ten seconds seems to hang."""

    def __init__(self) -> None:
        self.functions: set[Callable[..., Any]] = set()

    def on_start(self, begun: Any) -> None:
        if begun.data["dispatcher"] in self.functions:
            _tell("compiling for this kind of processor, which takes some ten seconds the first time")

    def on_end(self, ended: Any) -> None:
        return


_announcer = _Announcer()
event.register("numba:compile", _announcer)  # type: ignore[no-untyped-call]
