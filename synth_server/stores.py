"""Non-temporal stores, of which NumPy and numba know nothing: an instruction of LLVM's, compiled by numba."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from synth_server.kept import kept

_WORD = ir.IntType(64)
_LINE = ir.VectorType(_WORD, 8)


@intrinsic
def _store(typing: Any, to: Any, source: Any) -> Any:
    """The line at `source`, an address, stored at `to`, a multiple of its 64 bytes."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        there, here = (builder.inttoptr(address, _LINE.as_pointer()) for address in arguments)
        line = builder.load(here)
        line.align = 1
        stored = builder.store(line, there)
        stored.align = 64
        stored.set_metadata("nontemporal", builder.module.add_metadata([ir.Constant(ir.IntType(32), 1)]))
        return context.get_dummy_value()

    return types.void(types.intp, types.intp), code


@intrinsic
def _fence(typing: Any) -> Any:
    """Whoever sees what is stored after it sees what was stored before it; non-temporal stores keep no order."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        nothing = ir.FunctionType(ir.VoidType(), [])
        builder.call(builder.module.declare_intrinsic("llvm.x86.sse.sfence", (), nothing), [])
        return context.get_dummy_value()

    return types.void(), code


def _copy_lines(to: int, source: int, count: int) -> None:
    for line in range(count):
        _store(to + 64 * line, source + 64 * line)  # type: ignore[call-arg]  # numba gives the first one itself
    _fence()  # type: ignore[call-arg]


copy_lines = kept(_copy_lines, quick=True, nogil=True)
