"""The patch `voice-fm`: SynthAX's VoiceExpanded, 130 parameters. `voice` with a third envelope, LFO and FM.

The third oscillator is not heard: it moves the frequency of the fourth. The noise is as loud as the rest,
since this patch's mixer has no curve.
"""

from __future__ import annotations

from synth_server.patches.modules import Envelope, Lfo, Matrix, Mixer, Noise, Oscillator
from synth_server.patches.patch import Patch

_KEYBOARD = "keyboard"


def voice_fm() -> Patch:
    """The patch `voice-fm`."""
    numbers = (1, 2, 3)
    outputs = tuple(f"vco_{i}_{target}" for i in numbers for target in ("pitch", "amp"))
    return Patch(
        name="voice-fm",
        keyboards=(_KEYBOARD,),
        envelopes=tuple(Envelope(name=f"adsr_{i}", keyboard=_KEYBOARD) for i in numbers),
        lfos=tuple(Lfo.named(f"lfo_{i}", keyboard=_KEYBOARD) for i in numbers),
        matrix=Matrix(
            name="mod_matrix",
            inputs=("adsr_1", "adsr_2", "adsr_3", "lfo_1", "lfo_2", "lfo_3"),
            outputs=(*outputs, "noise_amp"),
        ),
        oscillators=(
            Oscillator(name="vco_1", kind="sine", keyboard=_KEYBOARD, pitch="vco_1_pitch", amp="vco_1_amp"),
            Oscillator(name="vco_2", kind="square-saw", keyboard=_KEYBOARD, pitch="vco_2_pitch", amp="vco_2_amp"),
            Oscillator(name="vco_3", kind="sine", keyboard=_KEYBOARD, pitch="vco_3_pitch", amp="vco_3_amp"),
            Oscillator(name="vco_4", kind="fm", keyboard=_KEYBOARD, source="vco_3"),
        ),
        noise=Noise(name="noise", amp="noise_amp"),
        mixer=Mixer(name="mixer", inputs=("vco_1", "vco_2", "vco_4", "noise"), curves=(1.0,) * 4),
    )
