"""The fused engine: the same bytes in every batch, order and thread, sound for every theta, and what it refuses."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

from pairstream.errors import ConfigError, RefusedError
from synth_server import noise
from synth_server.engines import Engine, load_engine
from synth_server.engines.fused import kernel
from synth_server.engines.fused.wiring import wire
from synth_server.patches import PATCHES, load_patch
from tests.golden import FORMATS, digests, sounds


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    made = load_engine("fused", threads=2)
    yield made
    made.close()


@pytest.mark.parametrize("synth", PATCHES)
@pytest.mark.parametrize("form", FORMATS.values(), ids=FORMATS)
def test_the_bytes_of_a_sound_do_not_depend_on_its_company(synth: str, form: dict[str, Any]) -> None:
    theta, keys = sounds(synth, 70)
    turned = np.random.default_rng(1).permutation(70)
    reference: list[str] = []
    for threads in (1, 2):
        made = load_engine("fused", synth=synth, threads=threads, **form)
        reference = reference or digests(made.render(theta, keys))
        assert digests(made.render(theta[turned], keys[turned])) == [reference[row] for row in turned]
        for size in (7, 33):
            parts = [made.render(theta[row : row + size], keys[row : row + size]) for row in range(0, 70, size)]
            assert digests(np.concatenate(parts)) == reference
        for row in (0, 7, 8, 69):
            assert digests(made.render(theta[row : row + 1], keys[row : row + 1])) == [reference[row]]
        made.close()


@pytest.mark.slow
@pytest.mark.parametrize("synth", PATCHES)
def test_the_bytes_of_768_sounds_do_not_depend_on_threads(synth: str) -> None:
    theta, keys = sounds(synth, 768)
    seen = set()
    for threads in (1, 2, 3):
        made = load_engine("fused", synth=synth, threads=threads)
        seen.add(tuple(digests(made.render(theta, keys))))
        made.close()
    assert len(seen) == 1


def _corners(synth: str) -> tuple[Any, Any]:
    width = len(load_patch(synth).parameters)
    ends = np.array([[0.0], [1e-6], [0.5], [1.0]], np.float32).repeat(width, axis=1)
    return ends, np.zeros(4, np.uint64)


def _check_range(synth: str, count: int) -> None:
    made = load_engine("fused", synth=synth, seconds=0.25, threads=2)
    loudest = []
    for seed in range(-(-count // 4096)):
        audio = made.render(*sounds(synth, min(count, 4096), seed))
        assert np.isfinite(audio).all()
        loudest.append(np.abs(audio).max(1))
    ends = made.render(*_corners(synth))
    made.close()
    assert np.isfinite(ends).all()
    assert np.abs(ends).max() <= 1.0
    peaks = np.concatenate(loudest)
    assert peaks.max() == 1.0
    assert (peaks < 1.0).any()


@pytest.mark.parametrize("synth", PATCHES)
def test_every_theta_gives_finite_audio_with_peaks_of_at_most_one(synth: str) -> None:
    _check_range(synth, 4096)


@pytest.mark.slow
@pytest.mark.parametrize("synth", PATCHES)
def test_a_hundred_thousand_thetas_give_finite_audio_with_peaks_of_at_most_one(synth: str) -> None:
    _check_range(synth, 100_000)


@pytest.mark.slow
def test_the_noise_is_that_of_the_reference_bit_for_bit() -> None:
    for synth in PATCHES:
        for form in FORMATS.values():
            made = load_engine("fused", synth=synth, threads=1, **form)
            theta, keys = sounds(synth, 8)
            audio = made.render(theta, keys)
            hiss = noise.white(keys, audio.shape[1]).numpy()
            assert np.array_equal(made.render(theta, keys, noise=hiss), audio)
            made.close()


def test_two_keys_give_two_noises_and_given_noise_replaces_both(engine: Engine) -> None:
    theta = np.full((2, 78), 0.5, np.float32)
    theta[:, 77] = 1.0
    keys = np.array([1, 2], np.uint64)
    assert not np.array_equal(*engine.render(theta, keys))
    hiss = noise.white(keys, 16_000).numpy()
    assert np.array_equal(*engine.render(theta, keys, noise=np.ascontiguousarray(hiss[[0, 0]])))


def test_audio_is_float32_contiguous_and_as_long_as_the_spec_says(engine: Engine) -> None:
    audio = engine.render(*sounds("voice", 3))
    assert (audio.shape, audio.dtype, audio.flags.c_contiguous) == ((3, 16_000), np.float32, True)
    assert engine.render(*sounds("voice", 0)).shape == (0, 16_000)


@pytest.mark.parametrize("seconds", [1 / 16_000, 2 / 16_000, 17 / 16_000, 0.0025, 10.0])
@pytest.mark.parametrize("control_rate", [1, 480, 16_000])
def test_any_length_and_control_rate_will_do(seconds: float, control_rate: int) -> None:
    if round(seconds * control_rate) < 1:
        with pytest.raises(ConfigError, match="use more"):
            load_engine("fused", seconds=seconds, control_rate=control_rate)
        return
    made = load_engine("fused", synth="voice-fm", seconds=seconds, control_rate=control_rate, threads=1)
    audio = made.render(*sounds("voice-fm", 4))
    made.close()
    assert audio.shape == (4, round(seconds * 16_000))
    assert np.isfinite(audio).all()
    assert np.abs(audio).max() <= 1.0


def test_ten_seconds_at_44100_hertz_start_as_ten_seconds_sound() -> None:
    made = load_engine("fused", sample_rate=44_100, seconds=10.0, threads=1)
    audio = made.render(*sounds("voice", 2))
    made.close()
    assert audio.shape == (2, 441_000)
    assert np.isfinite(audio).all()


def test_below_1e_6_sounds_as_1e_6(engine: Engine) -> None:
    theta, keys = np.zeros((1, 78), np.float32), np.ones(1, np.uint64)
    assert np.array_equal(engine.render(theta, keys), engine.render(theta + np.float32(1e-6), keys))


def test_arrays_that_are_not_contiguous_or_not_writable_are_played(engine: Engine) -> None:
    theta, keys = sounds("voice", 8)
    theta.flags.writeable = keys.flags.writeable = False
    wanted = engine.render(theta, keys)
    assert np.array_equal(engine.render(theta[::-1], keys[::-1]), wanted[::-1])
    assert np.array_equal(engine.render(np.asfortranarray(theta), keys), wanted)
    hiss = noise.white(keys, 16_000).numpy()
    hiss.flags.writeable = False
    assert np.array_equal(engine.render(theta[::2], keys[::2], noise=hiss[::2]), wanted[::2])
    assert np.array_equal(engine.render(theta, keys, noise=hiss), wanted)
    assert len(kernel.play.signatures) == 1


def test_numbers_flushed_to_zero_elsewhere_change_nothing(engine: Engine) -> None:
    theta, keys = sounds("voice", 64)
    wanted = engine.render(theta, keys)
    try:
        torch.set_flush_denormal(True)
        made = load_engine("fused", threads=1)
        found = made.render(theta, keys)
        made.close()
    finally:
        torch.set_flush_denormal(False)
    assert np.array_equal(found, wanted)


def test_one_engine_may_render_from_several_threads(engine: Engine) -> None:
    theta, keys = sounds("voice", 64)
    wanted, got = engine.render(theta, keys), []
    callers = [threading.Thread(target=lambda: got.append(engine.render(theta, keys))) for _ in range(3)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert len(got) == 3
    assert all(np.array_equal(wanted, audio) for audio in got)


def test_a_wrong_theta_is_refused_before_anything_is_rendered(engine: Engine) -> None:
    theta, keys = sounds("voice", 3)
    with pytest.raises(ConfigError, match="type float64"):
        engine.render(theta.astype(np.float64), keys)
    with pytest.raises(ConfigError, match="shape"):
        engine.render(theta[:, :77], keys)
    for wrong in (-0.1, 1.1, np.nan):
        bad = theta.copy()
        bad[1, 5] = wrong
        with pytest.raises(ConfigError, match=r"theta\[1, 5\]"):
            engine.render(bad, keys)
    with pytest.raises(ConfigError, match="noise_keys"):
        engine.render(theta, keys[:2])
    with pytest.raises(ConfigError, match="noise has the shape"):
        engine.render(theta, keys, noise=np.zeros((3, 15_999), np.float32))


def test_an_unknown_patch_rate_or_thread_count_is_refused() -> None:
    with pytest.raises(RefusedError, match="synth='moog'"):
        load_engine("fused", synth="moog")
    with pytest.raises(ConfigError, match="sample_rate=12543 is too low"):
        load_engine("fused", sample_rate=12_543)
    load_engine("fused", sample_rate=12_544).close()
    for threads in (0, -1, 1.5, True):
        with pytest.raises(ConfigError, match="is not a number of threads; use 1, 2"):
            load_engine("fused", threads=threads)


def test_a_curve_that_is_no_whole_power_is_refused() -> None:
    patch = load_patch("voice")
    bent = dataclasses.replace(patch, matrix=dataclasses.replace(patch.matrix, curve=0.3))
    with pytest.raises(ConfigError, match=r"mod_matrix.*has the curve 0.3"):
        wire(bent)


@pytest.mark.parametrize("counts", [(1, 0, 0, 0), (0, 3, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1), (3, 1, 2, 2)])
def test_a_patch_of_other_numbers_of_oscillators_is_played_by_the_same_kernel(counts: tuple[int, ...]) -> None:
    numbers = dict(zip(("sine", "square_saw", "fm_sine", "fm_square_saw"), counts, strict=True))
    assert wire(load_patch("parametric", numbers)).slots == counts[2] + counts[3]
    made = load_engine("fused", synth="parametric", oscillators=numbers, threads=2)
    theta = np.random.default_rng(0).random((64, len(made.parameters)), dtype=np.float32)
    keys = np.arange(64, dtype=np.uint64)
    audio = made.render(theta, keys)
    parts = [made.render(theta[row : row + 23], keys[row : row + 23]) for row in range(0, 64, 23)]
    made.close()
    assert digests(np.concatenate(parts)) == digests(audio)
    assert np.isfinite(audio).all()
    assert (audio.std(1) > 1e-4).mean() > 0.9
    assert len(kernel.play.signatures) == 1


def test_the_fingerprint_is_the_same_everywhere(engine: Engine) -> None:
    assert engine.fingerprint == "fused 1"


@pytest.mark.slow
def test_loading_the_engine_loads_no_torch() -> None:
    code = "import sys, synth_server.engines as e; e.load_engine('fused'); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=100)
