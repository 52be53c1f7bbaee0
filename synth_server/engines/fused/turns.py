"""Turns: how the threads of a call share its sounds. Each takes the next one that nobody has taken, without a lock.

So a thread that is held up holds nobody up, and a call costs one crossing from Python per thread.
"""

from __future__ import annotations

from typing import Any

from numba import types

from synth_server.engines.fused.jit import instructions


@instructions
def take(context: Any, turn: Any) -> Any:
    """turn[0], which is 1 more afterwards; no two threads are given the same number. `turn` is int64 (1,)."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        return builder.atomic_rmw("add", data, data.type.pointee(1), "monotonic")

    return types.int64(turn), generate
