"""Wiring: a patch as tables of whole numbers, which is how the kernels read it. No kernel is written for one patch.

A table has a row per module; its entries are columns of theta, rows of other tables, or NONE where nothing is plugged.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pairstream.errors import ConfigError
from synth_server.patches import Parameter, Patch
from synth_server.patches.modules import Oscillator
from synth_server.patches.ranges import ENVELOPE, LFO

NONE = -1
SINE, SQUARE_SAW, FM = 0, 1, 2
KINDS = {"sine": SINE, "square-saw": SQUARE_SAW, "fm": FM}

#: Columns of `Wiring.oscillators`. SLOT: where it is kept for others; SOURCE: whose slot moves its frequency.
KIND, MIDI, TUNING, DEPTH, PHASE, SHAPE, LEVEL, SLOT, SOURCE, PITCH, AMP = range(11)

Table = NDArray[np.int64]


class Wiring(NamedTuple):
    """The tables of a patch: P parameters, E envelopes, L LFOs, I by O in the matrix, V oscillators."""

    minimum: NDArray[np.float64]
    """Least human values (P,)."""
    span: NDArray[np.float64]
    """Greatest less least human values (P,)."""
    exponent: Table
    """1 / curve (P,)."""
    symmetric: NDArray[np.bool_]
    """Whether the curve bends from the middle (P,)."""
    envelopes: Table
    """(E, 6): duration of the key, attack, decay, sustain, release, alpha."""
    lfos: Table
    """(L, 8): frequency, depth, initial phase and the weights of the five shapes."""
    inputs: Table
    """(I,): rows of the envelopes; an LFO takes the row of the envelope of its loudness, which it is multiplied by."""
    matrix: Table
    """(I, O): the weights."""
    oscillators: Table
    """(V, 11): as the names above; PITCH and AMP are outputs of the matrix."""
    noise: Table
    """(2,): level and output of the matrix."""
    slots: int
    """How many oscillators move others."""


def wire(patch: Patch) -> Wiring:
    """The tables of `patch`.

    Raises:
        ConfigError: a parameter's curve is not 1, 1/2, 1/3, …, whose powers are products.
    """
    columns, matrix, envelopes = patch.columns, patch.matrix, patch.all_envelopes
    row_of = {modulator.name: row for row, modulator in enumerate(patch.modulators)}
    return Wiring(
        minimum=patch.scale.minimum,
        span=patch.scale.maximum - patch.scale.minimum,
        exponent=_table([_exponent(parameter) for parameter in patch.parameters]),
        symmetric=np.array([parameter.symmetric for parameter in patch.parameters]),
        envelopes=_table(
            [
                [
                    columns[f"{envelope.keyboard}.duration"],
                    *(columns[f"{envelope.name}.{row.name}"] for row in ENVELOPE),
                ]
                for envelope in envelopes
            ]
        ).reshape(-1, 1 + len(ENVELOPE)),
        lfos=_table([[columns[f"{lfo.name}.{row.name}"] for row in LFO] for lfo in patch.lfos]).reshape(-1, len(LFO)),
        inputs=_table([row_of[name] for name in matrix.inputs]),
        matrix=_table(
            [[columns[f"{matrix.name}.{source}->{target}"] for target in matrix.outputs] for source in matrix.inputs]
        ),
        oscillators=_oscillators(patch),
        noise=_table([_level(patch, patch.noise.name), matrix.outputs.index(patch.noise.amp)]),
        slots=len(_sources(patch)),
    )


def _oscillators(patch: Patch) -> Table:
    sources, outputs = _sources(patch), patch.matrix.outputs

    def row(oscillator: Oscillator) -> list[int]:
        name = oscillator.name
        return [
            KINDS[oscillator.kind],
            patch.columns[f"{oscillator.keyboard}.midi_f0"],
            *(patch.columns[f"{name}.{column}"] for column in ("tuning", "mod_depth", "initial_phase")),
            patch.columns.get(f"{name}.shape", NONE),
            _level(patch, name),
            sources.index(name) if name in sources else NONE,
            NONE if oscillator.source is None else sources.index(oscillator.source),
            NONE if oscillator.pitch is None else outputs.index(oscillator.pitch),
            NONE if oscillator.amp is None else outputs.index(oscillator.amp),
        ]

    return _table([row(oscillator) for oscillator in patch.oscillators])


def _sources(patch: Patch) -> list[str]:
    """The oscillators that move others, each once."""
    return list(dict.fromkeys(oscillator.source for oscillator in patch.oscillators if oscillator.source is not None))


def _level(patch: Patch, name: str) -> int:
    return patch.columns.get(f"{patch.mixer.name}.{name}", NONE)


def _exponent(parameter: Parameter) -> int:
    exponent = round(1.0 / parameter.curve)
    if abs(exponent * parameter.curve - 1.0) > 1e-12:
        raise ConfigError(
            f"{parameter.label} has the curve {parameter.curve}; this engine plays curves of 1, 1/2, 1/3, … only: "
            "choose the nearest, or use the engine torchsynth"
        )
    return exponent


def _table(rows: Any) -> Table:
    return np.array(rows, np.int64)
