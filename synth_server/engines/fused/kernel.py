"""The kernel: what Python calls. Sounds one after the other, each a function of its own row and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from synth_server.engines.fused.audio_pass import audio_pass
from synth_server.engines.fused.control_pass import control_pass
from synth_server.engines.fused.hiss import salt_of, start_of
from synth_server.engines.fused.jit import entry, sources
from synth_server.engines.fused.room import make_room
from synth_server.engines.fused.scalar import u32
from synth_server.engines.fused.settings import set_envelopes, set_human, set_lfos, set_oscillators
from synth_server.engines.fused.turns import take


def _compiled(number: int) -> Callable[..., int]:
    """The kernel, which encloses the number of the sources it was compiled from (see `jit.sources`)."""

    @entry
    def play(wiring: Any, grid: Any, turn: Any, theta: Any, keys: Any, noise: Any, audio: Any, halves: Any) -> int:
        """theta (B, P) and keys (B,) -> audio float32 (B, T), or halves uint16 (B, T), the bits of float16.

        The one not wanted is (B, 0), and so is noise (B, T) for that of the keys. Threads that are given the same
        `turn`, int64 (1,) and 0 at first, play each sound once.
        """
        room = make_room(wiring, grid)
        sound = take(turn)
        while sound < len(theta):
            set_human(wiring, theta[sound], room)
            set_envelopes(wiring, grid, room)
            set_lfos(wiring, room)
            set_oscillators(wiring, grid, room)
            control_pass(wiring, grid, room)
            low, high = u32(keys[sound]), u32(keys[sound] >> 32)
            start, salt = start_of(low, high), salt_of(low, high)
            audio_pass(wiring, grid, room, start, salt, noise[sound], audio[sound], halves[sound])
            sound = take(turn)
        return number

    return play


play = _compiled(sources())
