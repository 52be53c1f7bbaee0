"""The patch `parametric`: SynthAX's ParametricSynth, 340 parameters with the paper's oscillators.

Every oscillator has its own keyboard, envelope and LFO, so one sound is a chord of unrelated notes. The numbers of
oscillators of each kind are the spec's; `pairstream.oscillators` has those of the paper.
"""

from __future__ import annotations

from pairstream.errors import RefusedError
from synth_server.patches.modules import Envelope, Lfo, Matrix, Mixer, Noise, Oscillator, OscillatorKind
from synth_server.patches.patch import Patch


def parametric(*, sine: int, square_saw: int, fm_sine: int, fm_square_saw: int) -> Patch:
    """The patch with that many oscillators: heard sines and square-saws, and FM pairs driven by either.

    Raises:
        RefusedError: a number is negative, or there is no oscillator at all.
    """
    counts = (sine, square_saw, fm_sine, fm_square_saw)
    if min(counts) < 0 or sum(counts) == 0:
        raise RefusedError(f"synth='parametric' with {counts} oscillators; use four numbers of at least 0, not all 0")
    in_turn: tuple[OscillatorKind, ...] = ("sine", "square-saw", "sine", "square-saw")
    kinds = [kind for kind, count in zip(in_turn, counts, strict=True) for _ in range(count)]
    heard, numbers = sine + square_saw, range(1, len(kinds) + 1)
    tones = tuple(_tone(i, kind) for i, kind in zip(numbers, kinds, strict=True))
    carriers = tuple(_carrier(len(kinds) + j, source) for j, source in enumerate(tones[heard:], start=1))
    sounds = (*(oscillator.name for oscillator in (*tones[:heard], *carriers)), "noise")
    return Patch(
        name="parametric",
        keyboards=tuple(f"keyboard_{i}" for i in numbers),
        envelopes=tuple(Envelope(name=f"adsr_{i}", keyboard=f"keyboard_{i}") for i in numbers),
        lfos=tuple(Lfo.named(f"lfo_{i}", keyboard=f"keyboard_{i}") for i in numbers),
        matrix=Matrix(
            name="mod_matrix",
            inputs=(*(f"adsr_{i}" for i in numbers), *(f"lfo_{i}" for i in numbers)),
            outputs=(*(f"vco_{i}_{target}" for i in numbers for target in ("pitch", "amp")), "noise_amp"),
        ),
        oscillators=(*tones, *carriers),
        noise=Noise(name="noise", amp="noise_amp"),
        mixer=Mixer(name="mixer", inputs=sounds, curves=(1.0,) * len(sounds)),
    )


def _tone(i: int, kind: OscillatorKind) -> Oscillator:
    return Oscillator(name=f"vco_{i}", kind=kind, keyboard=f"keyboard_{i}", pitch=f"vco_{i}_pitch", amp=f"vco_{i}_amp")


def _carrier(i: int, source: Oscillator) -> Oscillator:
    """The oscillator that is heard of an FM pair; it follows the keyboard of its source."""
    return Oscillator(name=f"vco_{i}", kind="fm", keyboard=source.keyboard, source=source.name)
