"""The patch `voice`: torchsynth's Voice, 78 parameters. No filter.

One keyboard, two envelopes and two LFOs move a sine, a square-saw and noise. The level of the noise has a
curve of 0.025 as in torchsynth (x ** 40: of a knob that is turned evenly nearly always inaudible, of a level that the
law `paper` draws by its value not); SynthAX declares that curve but ignores it.
"""

from __future__ import annotations

from synth_server.patches.modules import Envelope, Lfo, Matrix, Mixer, Noise, Oscillator
from synth_server.patches.patch import Patch

_KEYBOARD = "keyboard"


def voice() -> Patch:
    """The patch `voice`."""
    return Patch(
        name="voice",
        keyboards=(_KEYBOARD,),
        envelopes=tuple(Envelope(name=f"adsr_{i}", keyboard=_KEYBOARD) for i in (1, 2)),
        lfos=tuple(Lfo.named(f"lfo_{i}", keyboard=_KEYBOARD) for i in (1, 2)),
        matrix=Matrix(
            name="mod_matrix",
            inputs=("adsr_1", "adsr_2", "lfo_1", "lfo_2"),
            outputs=("vco_1_pitch", "vco_1_amp", "vco_2_pitch", "vco_2_amp", "noise_amp"),
        ),
        oscillators=(
            Oscillator(name="vco_1", kind="sine", keyboard=_KEYBOARD, pitch="vco_1_pitch", amp="vco_1_amp"),
            Oscillator(name="vco_2", kind="square-saw", keyboard=_KEYBOARD, pitch="vco_2_pitch", amp="vco_2_amp"),
        ),
        noise=Noise(name="noise", amp="noise_amp"),
        mixer=Mixer(name="mixer", inputs=("vco_1", "vco_2", "noise"), curves=(1.0, 1.0, 0.025)),
    )
