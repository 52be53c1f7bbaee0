"""Patch: a whole synthesizer as data: which modules there are and what is plugged into what.

It computes no sound and loads no torch. An engine reads the wiring and brings the mathematics; every engine
reads the same patch, so they agree on what theta means. The order of theta is `Patch.parameters`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from pairstream.errors import ConfigError
from synth_server.patches import ranges
from synth_server.patches.modules import TABLES, Envelope, Lfo, Matrix, Mixer, Noise, Oscillator
from synth_server.patches.parameter import Parameter
from synth_server.patches.scale import Scale


@dataclass(frozen=True, kw_only=True)
class Patch:
    """A synthesizer. Oscillators stand after their sources, so that one pass in order renders them.

    Raises:
        ConfigError: a name is plugged in that no module has.
    """

    name: str
    keyboards: tuple[str, ...]
    envelopes: tuple[Envelope, ...]
    lfos: tuple[Lfo, ...]
    matrix: Matrix
    oscillators: tuple[Oscillator, ...]
    noise: Noise
    mixer: Mixer

    def __post_init__(self) -> None:
        for module, plugged, there in self._plugs():
            if plugged not in there:
                raise ConfigError(
                    f"patch {self.name}: {module} is plugged into {plugged!r}, which is not there; "
                    f"use one of {', '.join(there)}"
                )

    @property
    def all_envelopes(self) -> tuple[Envelope, ...]:
        """The envelopes of the matrix, then those of the LFOs' loudness, then those of their rates."""
        return (*self.envelopes, *(lfo.amp for lfo in self.lfos), *(lfo.rate for lfo in self.lfos))

    @property
    def modulators(self) -> tuple[Envelope | Lfo, ...]:
        """What can be plugged into the matrix."""
        return (*self.envelopes, *self.lfos)

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """The columns of theta, in torchsynth's order: controls, matrix, oscillators, mixer."""
        return tuple(row.of(module) for module, rows in self._modules() for row in rows)

    @cached_property
    def columns(self) -> dict[str, int]:
        """Column of theta by label, such as adsr_1.attack."""
        return {parameter.label: column for column, parameter in enumerate(self.parameters)}

    @cached_property
    def scale(self) -> Scale:
        """The map between theta and human units."""
        return Scale(self.parameters)

    def _modules(self) -> Iterator[tuple[str, tuple[ranges.Range, ...]]]:
        lfo_envelopes = self.all_envelopes[len(self.envelopes) :]
        yield from ((name, ranges.KEYBOARD) for name in self.keyboards)
        yield from ((envelope.name, ranges.ENVELOPE) for envelope in self.envelopes)
        yield from ((lfo.name, ranges.LFO) for lfo in self.lfos)
        yield from ((envelope.name, ranges.ENVELOPE) for envelope in lfo_envelopes)
        yield self.matrix.name, tuple(ranges.matrix(self.matrix.inputs, self.matrix.outputs, self.matrix.curve))
        yield from ((oscillator.name, TABLES[oscillator.kind]) for oscillator in self.oscillators)
        yield self.mixer.name, tuple(ranges.mixer(self.mixer.inputs, self.mixer.curves))

    def _plugs(self) -> Iterator[tuple[str, str, tuple[str, ...]]]:
        """(module, the name plugged into it, the names that could be)."""
        sources = tuple(modulator.name for modulator in self.modulators)
        sounds = (*(oscillator.name for oscillator in self.oscillators), self.noise.name)
        yield from ((envelope.name, envelope.keyboard, self.keyboards) for envelope in self.all_envelopes)
        yield from ((self.matrix.name, name, sources) for name in self.matrix.inputs)
        yield from ((self.mixer.name, name, sounds) for name in self.mixer.inputs)
        yield self.noise.name, self.noise.amp, self.matrix.outputs
        for position, oscillator in enumerate(self.oscillators):
            yield oscillator.name, oscillator.keyboard, self.keyboards
            if oscillator.kind == "fm":
                yield oscillator.name, oscillator.source or "", sounds[:position]
            else:
                yield oscillator.name, oscillator.pitch or "", self.matrix.outputs
                yield oscillator.name, oscillator.amp or "", self.matrix.outputs
