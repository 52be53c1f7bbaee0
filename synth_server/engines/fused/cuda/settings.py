"""The settings of one sound, each thread its share of them: parameters first, then modules.

A share of a patch's tables is again tables, so the loops are those of the CPU, `fused/settings.py`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from synth_server.engines.fused.grid import Grid
from synth_server.engines.fused.jit import shared
from synth_server.engines.fused.settings import set_envelopes, set_human, set_lfos, set_oscillators
from synth_server.engines.fused.wiring import Wiring


class Room(NamedTuple):
    """What `fused/settings.py` reads and writes of a `room.Room`."""

    human: Any
    envelopes: Any
    lfos: Any
    lfo_phases: Any
    oscillators: Any
    phases: Any
    bases: Any
    levels: Any
    gains: Any


@shared
def human_share(wiring: Any, rooms: Any, block: Any, theta: Any, thread: Any, threads: Any) -> None:
    """Every `threads`-th parameter to human units."""
    share = Wiring(
        wiring.minimum[thread::threads], wiring.span[thread::threads], wiring.exponent[thread::threads],
        wiring.symmetric[thread::threads], wiring.envelopes, wiring.lfos, wiring.inputs, wiring.matrix,
        wiring.oscillators, wiring.noise, wiring.slots,
    )  # fmt: skip
    room: Any = Room(
        rooms.human[block, thread::threads], rooms.envelopes[block], rooms.lfos[block], rooms.lfo_phases[block],
        rooms.oscillators[block], rooms.phases[block], rooms.bases[block], rooms.levels[block], rooms.gains[block, 0],
    )  # fmt: skip
    set_human(share, theta[thread::threads], room)


@shared
def module_share(wiring: Any, grid: Grid, rooms: Any, block: Any, thread: Any, threads: Any) -> None:
    """Every `threads`-th module's settings; envelopes, LFOs and oscillators begin at threads far apart.

    An oscillator writes its two gains and, behind them, that of the noise: after the last one it stands where it
    is looked for.
    """
    at = (thread + threads // 2) % threads
    while at < len(wiring.lfos):
        set_lfos(_part(wiring, at), _room(rooms, block, at))
        at += threads
    at = threads - 1 - thread
    while at <= len(wiring.oscillators):
        set_oscillators(_part(wiring, at), grid, _room(rooms, block, at))
        at += threads
    at = thread
    while at < len(wiring.envelopes):
        set_envelopes(_part(wiring, at), grid, _room(rooms, block, at))
        at += threads


@shared
def _part(wiring: Wiring, at: Any) -> Any:
    """The tables with one envelope, one LFO and one oscillator; without what is not there."""
    return Wiring(
        wiring.minimum, wiring.span, wiring.exponent, wiring.symmetric, wiring.envelopes[at : at + 1],
        wiring.lfos[at : at + 1], wiring.inputs, wiring.matrix, wiring.oscillators[at : at + 1], wiring.noise,
        wiring.slots,
    )  # fmt: skip


@shared
def _room(rooms: Any, block: Any, at: Any) -> Any:
    """Where their settings are."""
    here = slice(at, at + 1)
    return Room(
        rooms.human[block], rooms.envelopes[block, here], rooms.lfos[block, here], rooms.lfo_phases[block, here],
        rooms.oscillators[block, here], rooms.phases[block, here], rooms.bases[block, here],
        rooms.levels[block, here], rooms.gains[block, min(at, len(rooms.gains[block]) - 1)],
    )  # fmt: skip
