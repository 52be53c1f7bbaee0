"""The control rate of one sound, each thread its share: envelopes, LFOs and the matrix as lines, as `control_pass.py`.

Between two of these functions all threads of the block must have come so far. Indices are uint32 where it counts.
"""

from __future__ import annotations

from typing import Any

from synth_server.engines.fused.controls import adsr, lfo_shape, lfo_step, ramp
from synth_server.engines.fused.grid import Grid
from synth_server.engines.fused.jit import shared
from synth_server.engines.fused.scalar import Float, Word, exp2_or_zero, f32, flushed, i32, log2_of_share, u32
from synth_server.engines.fused.wiring import NONE, PITCH, Wiring


@shared
def envelope_share(settings: Any, signals: Any, thread: Any, threads: Any) -> None:
    """Every `threads`-th control sample of all envelopes (E, N)."""
    for k in range(len(settings)):
        c = settings[k]
        for t in range(thread, signals.shape[1], threads):
            x = ramp(f32(i32(t)), c[0], c[1], c[2], c[3], c[4], c[5], c[6])
            bent = exp2_or_zero(c[11] * log2_of_share(x))
            signals[k, t] = adsr(f32(i32(t)), bent, c[1], c[4], c[7], c[8], c[9], c[10])


@shared
def lfo_turn(c: Any, rate: Any, per_hertz: Float, first: Any, last: Any) -> Word:
    """How far an LFO turns in control samples `first` to `last`."""
    turned = u32(0)
    for t in range(first, last):
        turned = u32(turned + lfo_step(c[0], c[1], rate[t], per_hertz))
    return turned


@shared
def lfo_share(c: Any, rate: Any, per_hertz: Float, phase: Word, first: Any, last: Any, heard: Any) -> None:
    """Those control samples of the LFO, from a phase, multiplied into the envelope of its loudness."""
    for t in range(first, last):
        phase = u32(phase + lfo_step(c[0], c[1], rate[t], per_hertz))
        heard[t] = flushed(heard[t] * lfo_shape(phase, c[2], c[3], c[4], c[5], c[6]))


@shared
def output_of(wiring: Wiring, row: Any) -> Any:
    """Which output of the matrix a row follows, or NONE."""
    if row == 2 * len(wiring.oscillators):
        return wiring.noise[1]
    return wiring.oscillators[row // 2, PITCH + row % 2]


@shared
def weight_share(wiring: Wiring, human: Any, gains: Any, weights: Any, thread: Any, threads: Any) -> None:
    """The weights (R, I) of every `threads`-th row."""
    for row in range(thread, len(weights), threads):
        output = output_of(wiring, row)
        for i in range(weights.shape[1] if output != NONE else 0):
            weights[row, i] = flushed(f32(human[wiring.matrix[i, output]]) * gains[row // 2, row % 2])


@shared
def weighed(weights: Any, inputs: Any, signals: Any, t: Any) -> Float:
    """The weighted sum of the signals at control sample t, input by input."""
    at = u32(t)
    total = weights[0] * signals[u32(inputs[0]), at]
    for i in range(1, len(inputs)):
        total = total + weights[u32(i)] * signals[u32(inputs[u32(i)]), at]
    return flushed(total)


@shared
def line_share(wiring: Wiring, grid: Grid, rooms: Any, block: Any, row: Any, thread: Any, threads: Any) -> None:
    """A row of the matrix as the value and slope of every `threads`-th segment; its gain if nothing is plugged."""
    gain, weights, signals = rooms.gains[block, row // 2, row % 2], rooms.weights[block, row], rooms.signals[block]
    values, slopes = rooms.values[block, row], rooms.slopes[block, row]
    plugged, part, last = output_of(wiring, row) != NONE, f32(1.0 / grid.cuts), grid.controls - 1
    for segment in range(thread, len(values), threads):
        value, slope = gain, f32(0)
        if plugged:
            t = min(segment // grid.cuts, last)
            here = weighed(weights, wiring.inputs, signals, t)
            slope = (weighed(weights, wiring.inputs, signals, min(t + 1, last)) - here) * part
            value = here + f32(i32(segment - t * grid.cuts)) * slope
        values[u32(segment)], slopes[u32(segment)] = value, slope
