"""Circuit: a patch built from torchsynth's modules, for a fixed number of sounds at a time.

The mathematics is torchsynth's, the wiring is the patch's. Three things differ from `torchsynth.synth.Voice`: all
envelopes are one module with a larger batch, and so are all LFOs; mixers add in a fixed order, since the kernel of
a matrix product, hence its rounding, depends on where a row lies in memory; and the noise comes from outside.
Not thread-safe: torchsynth's modules keep state.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from synth_server.engines.bank import Bank, Format, plain, upsampler
from synth_server.engines.human import HumanUnits
from synth_server.patches import Patch
from synth_server.patches.modules import TABLES, Oscillator
from synth_server.patches.ranges import ENVELOPE, LFO, LFO_SHAPES


class Circuit:
    """Plays `form.sounds` sounds (C below) at a time. S is the number of control samples."""

    def __init__(self, patch: Patch, form: Format) -> None:
        self._patch, self._form = patch, form
        self._human_units = HumanUnits(patch.parameters, form.device)
        self._envelopes = Bank("envelope", patch, [envelope.name for envelope in patch.all_envelopes], ENVELOPE, form)
        self._lfos = Bank("lfo", patch, [lfo.name for lfo in patch.lfos], LFO, form)
        self._oscillators = {
            oscillator.name: Bank(oscillator.kind, patch, [oscillator.name], TABLES[oscillator.kind], form)
            for oscillator in patch.oscillators
        }
        self._upsampler = upsampler(form)
        keyboards = [patch.columns[f"{envelope.keyboard}.duration"] for envelope in patch.all_envelopes]
        self._durations = torch.tensor(keyboards, dtype=torch.int64, device=form.device)

    def play(self, theta: Tensor, noise: Tensor) -> Tensor:
        """Theta (C, P) in [1e-6, 1] and noise (C, T) -> audio (C, T) with peaks of at most 1."""
        human = self._human_units.of(theta)
        audio = self._mix(human, self._modulation(human), noise)
        peak = audio.abs().amax(dim=1, keepdim=True)
        return audio.div_(peak.clamp_(min=1.0))

    def _modulation(self, human: Tensor) -> dict[str, Tensor]:
        """Human units (P, C) -> the outputs of the matrix by name, (C, S) each."""
        patch, matrix = self._patch, self._patch.matrix
        heard, lfos = len(patch.envelopes), len(patch.lfos)
        envelopes, amp, rate = torch.split(self._play_envelopes(human), [heard, lfos, lfos])
        signals = (*envelopes, *(self._play_lfos(human, rate) * amp))
        named = {modulator.name: signal for modulator, signal in zip(patch.modulators, signals, strict=True)}
        first = patch.columns[f"{matrix.name}.{matrix.inputs[0]}->{matrix.outputs[0]}"]
        inputs, outputs = len(matrix.inputs), len(matrix.outputs)
        weights = human[first : first + inputs * outputs].view(inputs, outputs, self._form.sounds, 1)
        mixed = _weighted_sum(weights, [named[name] for name in matrix.inputs])
        return dict(zip(matrix.outputs, mixed, strict=True))

    def _play_envelopes(self, human: Tensor) -> Tensor:
        """All K envelopes, (K, C, S)."""
        bank = self._envelopes
        bank.feed(human)
        return bank.apart(bank.module.output(human.index_select(0, self._durations).view(-1)))

    def _play_lfos(self, human: Tensor, rate: Tensor) -> Tensor:
        """All LFOs, (L, C, S), their frequencies moved by their rate envelopes (L, C, S)."""
        bank, module = self._lfos, self._lfos.module
        bank.feed(human)
        frequency = module.make_control(rate.reshape(-1, rate.shape[-1]))
        phase = torch.cumsum(2 * math.pi * frequency / module.control_rate, dim=1)
        phase += bank.values["initial_phase"].unsqueeze(1)
        weights = [torch.pow(bank.values[shape], module.exponent) for shape in LFO_SHAPES]
        total = sum(weights[1:], start=weights[0])
        shares = [(weight / total).unsqueeze(1) for weight in weights]
        return bank.apart(_weighted_sum(shares, module.make_lfo_shapes(phase)))

    def _mix(self, human: Tensor, modulation: dict[str, Tensor], noise: Tensor) -> Tensor:
        """The sum of what the mixer hears, (C, T), made one sound after the other to stay in the cache."""
        patch, mixed = self._patch, torch.zeros_like(noise)
        sources = {oscillator.source for oscillator in patch.oscillators}
        played: dict[str, Tensor] = {}
        for oscillator in patch.oscillators:
            sound = self._play_oscillator(oscillator, human, modulation, played)
            if oscillator.name in sources:
                played[oscillator.name] = sound
            if oscillator.name in patch.mixer.inputs:
                mixed.addcmul_(sound, self._level(human, oscillator.name))
        if patch.noise.name in patch.mixer.inputs:
            hiss = self._at_audio_rate(modulation[patch.noise.amp]).mul_(noise)
            mixed.addcmul_(hiss, self._level(human, patch.noise.name))
        return mixed

    def _play_oscillator(
        self, oscillator: Oscillator, human: Tensor, modulation: dict[str, Tensor], played: dict[str, Tensor]
    ) -> Tensor:
        """One oscillator with its loudness shaped, (C, T)."""
        bank = self._oscillators[oscillator.name]
        bank.feed(human)
        pitch = human[self._patch.columns[f"{oscillator.keyboard}.midi_f0"]]
        if oscillator.source is not None:
            return plain(bank.module.output(pitch, played[oscillator.source]))
        bend = self._at_audio_rate(modulation[oscillator.pitch or ""])
        return plain(bank.module.output(pitch, bend)).mul_(self._at_audio_rate(modulation[oscillator.amp or ""]))

    def _level(self, human: Tensor, name: str) -> Tensor:
        """A level of the mixer, (C, 1)."""
        return human[self._patch.columns[f"{self._patch.mixer.name}.{name}"]].unsqueeze(1)

    def _at_audio_rate(self, control: Tensor) -> Tensor:
        """(C, S) -> (C, T), straight lines between the control samples."""
        return plain(self._upsampler.output(control))


def _weighted_sum(weights: Sequence[Tensor] | Tensor, signals: Sequence[Any]) -> Tensor:
    """weights[0] * signals[0] + weights[1] * signals[1] + …, in this order on every device."""
    total: Tensor = weights[0] * signals[0]
    for weight, signal in zip(weights[1:], signals[1:], strict=True):
        total.addcmul_(weight, signal)
    return total
