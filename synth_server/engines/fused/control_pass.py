"""The control pass: envelopes, LFOs and the modulation matrix of one sound, as lines between control samples."""

from __future__ import annotations

from typing import Any

from synth_server.engines.fused.controls import adsr, lfo_shape, lfo_step, ramp
from synth_server.engines.fused.grid import Grid
from synth_server.engines.fused.jit import loop
from synth_server.engines.fused.room import Room
from synth_server.engines.fused.scalar import exp2_or_zero, f32, flushed, i32, log2_of_share, u32
from synth_server.engines.fused.wiring import NONE, PITCH, Wiring


@loop
def control_pass(wiring: Wiring, grid: Grid, room: Room) -> None:
    """From settings to `room.values` and `room.slopes`.

    The arrays are taken out of their tuples once: to hand a tuple on costs more than to play a row.
    """
    envelopes, lfos, phases, signals, turned = room.envelopes, room.lfos, room.lfo_phases, room.signals, room.turned
    for k in range(len(envelopes)):
        envelope_row(envelopes[k], signals[k])
    for k in range(len(lfos)):
        heard = len(envelopes) - 2 * len(lfos) + k
        turn_row(lfos[k], f32(1.0 / grid.control_rate), signals[heard + len(lfos)], turned)
        add_up(phases[k], turned)
        lfo_row(lfos[k], turned, signals[heard])
    matrix, inputs, oscillators, human, gains = wiring.matrix, wiring.inputs, wiring.oscillators, room.human, room.gains
    weights, line, values, slopes = room.weights, room.line, room.values, room.slopes
    for row in range(len(gains)):
        output = wiring.noise[1] if row == len(gains) - 1 else oscillators[row // 2, PITCH + row % 2]
        if output == NONE:
            level_row(gains[row], values[row], slopes[row])
        else:
            weigh(matrix, output, human, gains[row], weights)
            add_signals(weights, inputs, signals, line)
            spread(line, grid.cuts, values[row], slopes[row])


@loop
def envelope_row(c: Any, row: Any) -> None:
    """One envelope (N,), in three steps: what waits for less is done sooner (see `block.py`)."""
    ramp_row(c, row)
    for t in range(len(row)):
        row[t] = log2_of_share(row[t])
    bend_row(c, row)


@loop
def ramp_row(c: Any, row: Any) -> None:
    """The ramps of an envelope."""
    attack, peak_at, decay, decay_eps, key_at, release, release_eps = c[0], c[1], c[2], c[3], c[4], c[5], c[6]
    for t in range(len(row)):
        row[t] = ramp(f32(i32(t)), attack, peak_at, decay, decay_eps, key_at, release, release_eps)


@loop
def bend_row(c: Any, row: Any) -> None:
    """The logarithms of its ramps to an envelope."""
    peak_at, key_at, peak, above, sustain, held, alpha = c[1], c[4], c[7], c[8], c[9], c[10], c[11]
    for t in range(len(row)):
        bent = exp2_or_zero(alpha * row[t])
        row[t] = adsr(f32(i32(t)), bent, peak_at, key_at, peak, above, sustain, held)


@loop
def turn_row(c: Any, per_hertz: Any, rate: Any, steps: Any) -> None:
    """The steps of one LFO (N,) whose frequency follows `rate`."""
    frequency, depth = c[0], c[1]
    for t in range(len(steps)):
        steps[t] = lfo_step(frequency, depth, rate[t], per_hertz)


@loop
def add_up(phase: Any, steps: Any) -> None:
    """Steps to phases, in place."""
    for t in range(len(steps)):
        phase = u32(phase + steps[t])
        steps[t] = phase


@loop
def lfo_row(c: Any, phases: Any, row: Any) -> None:
    """One LFO, multiplied into the envelope of its loudness."""
    sin, tri, saw, rsaw, sqr = c[2], c[3], c[4], c[5], c[6]
    for t in range(len(row)):
        row[t] = flushed(row[t] * lfo_shape(phases[t], sin, tri, saw, rsaw, sqr))


@loop
def level_row(gain: Any, values: Any, slopes: Any) -> None:
    """The row of an output where nothing is plugged: its gain alone."""
    values[:] = gain
    slopes[:] = f32(0)


@loop
def weigh(matrix: Any, output: Any, human: Any, gain: Any, weights: Any) -> None:
    """The weights of one output of the matrix (I,), its gain included."""
    for i in range(len(weights)):
        weights[i] = flushed(f32(human[matrix[i, output]]) * gain)


@loop
def add_signals(weights: Any, inputs: Any, signals: Any, line: Any) -> None:
    """The weighted sum of the signals (N,), input by input, and its last value once more."""
    for i in range(len(inputs)):
        weight, signal = weights[i], signals[inputs[i]]
        if i == 0:
            for t in range(len(signal)):
                line[t] = weight * signal[t]
        else:
            for t in range(len(signal)):
                line[t] = line[t] + weight * signal[t]
    for t in range(len(line)):
        line[t] = flushed(line[t])
    last = len(line) - 1
    line[last] = line[last - 1]


@loop
def spread(line: Any, cuts: Any, values: Any, slopes: Any) -> None:
    """Lines between control samples, each cut in `cuts` segments; level after the last."""
    controls = len(line) - 1
    for t in range(controls if cuts == 1 else 0):
        values[t] = line[t]
        slopes[t] = line[t + 1] - line[t]
    part = f32(1.0 / cuts)
    for t in range(controls if cuts > 1 else 0):
        slope = (line[t + 1] - line[t]) * part
        for cut in range(min(cuts, len(values) - t * cuts)):
            values[t * cuts + cut] = line[t] + f32(cut) * slope
            slopes[t * cuts + cut] = slope
    end = controls * cuts
    for t in range(end, len(values)):
        values[t] = line[controls]
        slopes[t] = f32(0)
