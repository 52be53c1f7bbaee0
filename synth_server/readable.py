"""A parameter's value as a person reads it: notes and hertz, seconds, semitones, decibels.

What the numbers mean is in `patches/`; this file only writes them. It rounds: for exact values there is `Scale`.
"""

from __future__ import annotations

import math

from synth_server.patches import Parameter

_NOTES = ("C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B")
#: Below this a level is not heard, in decibels.
_SILENT_DB = -80.0
_MINUS = "−"


def value(parameter: Parameter, human: float) -> str:
    """`human`, a value in the parameter's own unit, such as `A4 · 440 Hz`, `120 ms` or `−6.0 dB`."""
    if parameter.name == "midi_f0":
        return _note(human)
    if parameter.group == "mix":
        return "silent" if (level := decibels(human)) <= _SILENT_DB else f"{_number(level, 1)} dB"
    return _amount(parameter, human, signed=parameter.minimum < 0)


def change(parameter: Parameter, a: float, b: float) -> str:
    """From `a` to `b`, both in the parameter's own unit, with a sign: `+3.2 semitones`, `−40 ms`."""
    if parameter.group == "mix":
        levels = [max(_SILENT_DB, decibels(level)) for level in (a, b)]
        return f"{_number(levels[1] - levels[0], 1, signed=True)} dB"
    return _amount(parameter, b - a, signed=True)


def decibels(level: float) -> float:
    """A level in [0, 1] relative to full scale; minus infinity at 0."""
    return 20.0 * math.log10(level) if level > 0 else -math.inf


def _amount(parameter: Parameter, human: float, *, signed: bool) -> str:
    match parameter.unit:
        case "seconds":
            return _seconds(human, signed=signed)
        case "hertz":
            return f"{_number(human, 2, signed=signed)} Hz"
        case "semitones":
            return f"{_number(human, 2, signed=signed)} semitones"
        case "radians":
            return f"{_number(math.degrees(human), 0, signed=signed)}°"
        case _ if parameter.minimum == 0.0 and parameter.maximum == 1.0:
            return f"{_number(100.0 * human, 1, signed=signed)} %"
        case _:
            return _number(human, 2, signed=signed)


def _seconds(seconds: float, *, signed: bool) -> str:
    if abs(seconds) < 1.0:
        return f"{_number(1e3 * seconds, 0 if abs(seconds) >= 0.01 else 1, signed=signed)} ms"
    return f"{_number(seconds, 2, signed=signed)} s"


def _note(semitones: float) -> str:
    """A MIDI pitch, 69 is A4 at 440 Hz, as the nearest note, and in hertz."""
    nearest = round(semitones)
    hertz = 440.0 * 2.0 ** ((semitones - 69.0) / 12.0)
    return f"{_NOTES[nearest % 12]}{nearest // 12 - 1} · {hertz:,.{0 if hertz >= 100 else 1}f} Hz"


def _number(number: float, digits: int, *, signed: bool = False) -> str:
    """With a true minus sign, and none before what rounds to 0."""
    text = f"{abs(number):,.{digits}f}"
    if not any(digit in text for digit in "123456789"):
        return text
    return (_MINUS if number < 0 else "+" if signed else "") + text
