"""The patches: what theta means, against torchsynth's own ranges; the wiring; the map to human units."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import numpy as np
import pytest

from pairstream.errors import ConfigError, RefusedError
from pairstream.spec import GROUPS
from synth_server.patches import PATCHES, Patch, load_patch
from synth_server.patches.modules import Matrix
from synth_server.patches.parametric import parametric

COUNTS = {"voice": 78, "voice-fm": 130, "parametric": 340}

VOICE_MODULES = {
    "keyboard": 2,
    "adsr_1": 5,
    "adsr_2": 5,
    "lfo_1": 8,
    "lfo_2": 8,
    "lfo_1_amp_adsr": 5,
    "lfo_2_amp_adsr": 5,
    "lfo_1_rate_adsr": 5,
    "lfo_2_rate_adsr": 5,
    "mod_matrix": 20,
    "vco_1": 3,
    "vco_2": 4,
    "mixer": 3,
}


@pytest.fixture(params=sorted(PATCHES))
def patch(request: pytest.FixtureRequest) -> Patch:
    return load_patch(request.param)


def test_a_patch_has_as_many_parameters_as_the_paper_says(patch: Patch) -> None:
    assert len(patch.parameters) == COUNTS[patch.name]


def test_every_parameter_has_a_label_of_its_own_and_a_group(patch: Patch) -> None:
    assert len(patch.columns) == len(patch.parameters)
    assert {parameter.group for parameter in patch.parameters} == set(GROUPS)
    assert all(parameter.minimum < parameter.maximum and parameter.description for parameter in patch.parameters)


def test_the_columns_of_voice_stand_in_torchsynths_order() -> None:
    modules = [parameter.module for parameter in load_patch("voice").parameters]
    assert modules == [module for module, count in VOICE_MODULES.items() for _ in range(count)]
    assert load_patch("voice").columns["mod_matrix.lfo_2->noise_amp"] == 67


def test_the_ranges_are_torchsynths() -> None:
    from synth_server.engines.bank import KINDS
    from synth_server.patches import ranges

    tables = {"envelope": ranges.ENVELOPE, "sine": ranges.OSCILLATOR, "square-saw": ranges.SQUARE_SAW, "fm": ranges.FM}
    for kind, rows in tables.items():
        theirs = KINDS[kind].default_parameter_ranges
        assert [(r.name, r.minimum, r.maximum, r.curve, r.symmetric) for r in theirs] == [
            (r.name, pytest.approx(r.minimum, abs=1e-6), pytest.approx(r.maximum, abs=1e-6), r.curve, r.symmetric)
            for r in rows
        ]
    assert [(r.name, r.curve, r.symmetric) for r in KINDS["lfo"].default_ranges] == [
        (r.name, r.curve, r.symmetric) for r in ranges.LFO[:3]
    ]


def test_only_voice_bends_the_level_of_the_noise() -> None:
    curves = {name: load_patch(name).mixer.curves for name in PATCHES}
    assert curves == {"voice": (1.0, 1.0, 0.025), "voice-fm": (1.0,) * 4, "parametric": (1.0,) * 7}


@pytest.mark.parametrize("counts", [(1, 0, 0, 0), (0, 0, 0, 1), (1, 1, 1, 0), (3, 2, 2, 2)])
def test_the_parametric_patch_has_as_many_oscillators_as_asked(counts: tuple[int, int, int, int]) -> None:
    sine, square_saw, fm_sine, fm_square_saw = counts
    made = parametric(sine=sine, square_saw=square_saw, fm_sine=fm_sine, fm_square_saw=fm_square_saw)
    keyboards, carriers = sum(counts), fm_sine + fm_square_saw
    oscillators = 3 * (sine + fm_sine) + 4 * (square_saw + fm_square_saw) + 3 * carriers
    mixed = sine + square_saw + carriers + 1
    assert len(made.parameters) == 25 * keyboards + 2 * keyboards * (2 * keyboards + 1) + oscillators + mixed
    assert {o.source for o in made.oscillators if o.kind == "fm"}.isdisjoint(made.mixer.inputs)


def test_numbers_that_are_not_said_are_the_patchs_own() -> None:
    assert load_patch("parametric", {"sine": 2}) is load_patch("parametric", {"fm_sine": 1}) is load_patch("parametric")
    assert len(load_patch("parametric", {"sine": 5}).oscillators) == 11


@pytest.mark.parametrize("counts", [(0, 0, 0, 0), (2, -1, 0, 0)])
def test_a_parametric_patch_without_oscillators_is_refused(counts: tuple[int, int, int, int]) -> None:
    with pytest.raises(RefusedError, match="oscillators; use four numbers"):
        parametric(sine=counts[0], square_saw=counts[1], fm_sine=counts[2], fm_square_saw=counts[3])


def test_a_plug_without_a_socket_is_refused() -> None:
    voice = load_patch("voice")
    matrix = Matrix(name="mod_matrix", inputs=("adsr_9",), outputs=voice.matrix.outputs)
    with pytest.raises(ConfigError, match=r"mod_matrix is plugged into 'adsr_9'.*use one of adsr_1, adsr_2"):
        dataclasses.replace(voice, matrix=matrix)
    backwards = dataclasses.replace(load_patch("voice-fm").oscillators[3], source="noise")
    with pytest.raises(ConfigError, match="vco_4 is plugged into 'noise'"):
        dataclasses.replace(load_patch("voice-fm"), oscillators=(*load_patch("voice-fm").oscillators[:3], backwards))


def test_an_unknown_patch_is_refused_with_those_there_are() -> None:
    with pytest.raises(RefusedError, match=r"synth='moog' is not .* it has voice, voice-fm, parametric"):
        load_patch("moog")


def test_human_units_follow_the_curve_and_come_back(patch: Patch) -> None:
    theta = np.random.default_rng(0).random((50, len(patch.parameters)))
    human = patch.scale.to_human(theta)
    assert np.allclose(patch.scale.to_human(patch.scale.to_unit(human)), human, rtol=0, atol=1e-11)
    for column, p in enumerate(patch.parameters):
        x = theta[:, column]
        d = 2 * x - 1
        position = (1 + np.sign(d) * np.abs(d) ** (1 / p.curve)) / 2 if p.symmetric else x ** (1 / p.curve)
        assert np.allclose(human[:, column], p.minimum + (p.maximum - p.minimum) * position, rtol=1e-12, atol=1e-12)


def test_the_ends_of_the_scale_are_minimum_and_maximum(patch: Patch) -> None:
    width = len(patch.parameters)
    assert np.allclose(patch.scale.to_human(np.zeros(width)), patch.scale.minimum)
    assert np.allclose(patch.scale.to_human(np.ones(width)), patch.scale.maximum)


def test_patches_load_no_torch() -> None:
    code = "import sys, synth_server.patches, synth_server.perturb; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
