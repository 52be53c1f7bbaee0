"""The control pass: envelopes, LFOs and the modulation matrix of one sound, as lines between control samples."""

from __future__ import annotations

from typing import Any

from synth_server.engines.fused.controls import adsr, lfo_shape, lfo_step
from synth_server.engines.fused.grid import Grid
from synth_server.engines.fused.jit import loop, shared
from synth_server.engines.fused.room import Room
from synth_server.engines.fused.scalar import f32, flushed, i32, u32
from synth_server.engines.fused.wiring import AMP, NONE, PITCH, Wiring


@loop
def control_pass(wiring: Wiring, grid: Grid, room: Room) -> None:
    """From settings to `room.values` and `room.slopes`."""
    for k in range(len(wiring.envelopes)):
        envelope_row(room.envelopes[k], room.signals[k])
    lfos = len(wiring.lfos)
    for k in range(lfos):
        heard = len(wiring.envelopes) - 2 * lfos + k
        turn_row(room.lfos[k], f32(1.0 / grid.control_rate), room.signals[heard + lfos], room.turned)
        add_up(room.lfo_phases[k], room.turned)
        lfo_row(room.lfos[k], room.turned, room.signals[heard])
    oscillators = len(wiring.oscillators)
    for k in range(oscillators):
        output_row(wiring, grid, room, 2 * k, wiring.oscillators[k, PITCH])
        output_row(wiring, grid, room, 2 * k + 1, wiring.oscillators[k, AMP])
    output_row(wiring, grid, room, 2 * oscillators, wiring.noise[1])


@loop
def envelope_row(c: Any, row: Any) -> None:
    """One envelope (N,)."""
    attack, decay, decay_at, decay_eps, release = c[0], c[1], c[2], c[3], c[4]
    release_at, release_eps, sustain, alpha = c[5], c[6], c[7], c[8]
    for t in range(len(row)):
        row[t] = adsr(f32(i32(t)), attack, decay, decay_at, decay_eps, release, release_at, release_eps, sustain, alpha)


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


@shared
def output_row(wiring: Wiring, grid: Grid, room: Room, row: Any, output: Any) -> None:
    """One output of the matrix as the value and slope of each segment; its gain alone where nothing is plugged."""
    values, slopes = room.values[row], room.slopes[row]
    if output == NONE:
        values[:] = room.gains[row]
        slopes[:] = f32(0)
        return
    weights = room.weights
    for i in range(len(weights)):
        weights[i] = flushed(f32(room.human[wiring.matrix[i, output]]) * room.gains[row])
    weigh(weights, wiring.inputs, room.signals, room.line)
    spread(room.line, grid.cuts, values, slopes)


@loop
def weigh(weights: Any, inputs: Any, signals: Any, line: Any) -> None:
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
