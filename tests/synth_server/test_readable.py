"""Values as people read them, and WAV files as programs do."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile

from synth_server import pair_files, readable
from synth_server.differences import differences
from synth_server.patches import load_patch

PATCH = load_patch("voice")


def parameter(label: str):
    return PATCH.parameters[PATCH.columns[label]]


@pytest.mark.parametrize(
    ("label", "human", "text"),
    [
        ("keyboard.midi_f0", 69.0, "A4 · 440 Hz"),
        ("keyboard.midi_f0", 60.3, "C4 · 266 Hz"),
        ("keyboard.midi_f0", 0.0, "C-1 · 8.2 Hz"),
        ("adsr_1.attack", 0.0042, "4.2 ms"),
        ("adsr_1.attack", 0.12, "120 ms"),
        ("adsr_1.attack", 1.5, "1.50 s"),
        ("adsr_1.sustain", 0.5, "50.0 %"),
        ("lfo_1.frequency", 5.126, "5.13 Hz"),
        ("lfo_1.mod_depth", -3.0, "−3.00 Hz"),
        ("lfo_1.initial_phase", np.pi / 2, "+90°"),
        ("vco_1.tuning", -12.0, "−12.00 semitones"),
        ("vco_1.tuning", 0.001, "0.00 semitones"),
        ("mixer.vco_1", 0.5, "−6.0 dB"),
        ("mixer.vco_1", 1.0, "0.0 dB"),
        ("mixer.vco_1", 0.0, "silent"),
    ],
)
def test_a_value_is_read_in_the_units_of_its_parameter(label: str, human: float, text: str):
    assert readable.value(parameter(label), human) == text


@pytest.mark.parametrize(
    ("label", "a", "b", "text"),
    [
        ("keyboard.midi_f0", 60.0, 63.2, "+3.20 semitones"),
        ("adsr_1.attack", 0.5, 0.46, "−40 ms"),
        ("mixer.vco_1", 0.5, 1.0, "+6.0 dB"),
        ("mixer.vco_1", 0.1, 0.0, "−60.0 dB"),
        ("lfo_1.frequency", 1.0, 1.0, "0.00 Hz"),
    ],
)
def test_a_change_has_a_sign_and_the_unit(label: str, a: float, b: float, text: str):
    assert readable.change(parameter(label), a, b) == text


def test_every_parameter_of_every_patch_can_be_read():
    for name in ("voice", "voice-fm", "parametric"):
        parameters = load_patch(name).parameters
        theta = np.linspace(0, 1, 2 * len(parameters), dtype=np.float32).reshape(2, -1)
        rows = differences(theta, parameters)
        assert {row.parameter.label for row in rows} == {each.label for each in parameters}
        assert all(text and "nan" not in text for row in rows for text in (*row.texts, row.change))


def test_a_wav_holds_the_samples_exactly_and_has_no_time_of_day():
    samples = np.random.Generator(np.random.Philox(key=[3, 4])).uniform(-1, 1, 1_001).astype(np.float32)
    wav = pair_files.wav(samples, 22_050)
    read, rate = soundfile.read(io.BytesIO(wav), dtype="float32")
    assert np.array_equal(read, samples)
    assert rate == 22_050
    info = soundfile.info(io.BytesIO(wav))
    assert (info.subtype, info.channels, info.frames) == ("FLOAT", 1, 1_001)
    assert len(wav) == 58 + 4 * 1_001
