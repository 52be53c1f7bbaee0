"""The reference engine: as torchsynth's Voice, the same bytes in every batch and thread, sound for every theta."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from plain_voice import order, plain_voice, play

from pairstream.errors import ConfigError, RefusedError
from synth_server import noise
from synth_server.engines import Engine, load_engine
from synth_server.patches import PATCHES, load_patch

#: Rates and lengths; in the last two neither the samples nor the control samples are a multiple of 16.
FORMATS: dict[str, dict[str, Any]] = {
    "paper": {},
    "22050 samples, 220 control": {"sample_rate": 44_100, "seconds": 0.5, "control_rate": 441},
    "16001 samples, 437 control": {"seconds": 1.00005, "control_rate": 437},
}
SOUNDS = {"voice": 70, "voice-fm": 40, "parametric": 34}


def sounds(synth: str, count: int, seed: int = 0) -> tuple[NDArray[np.float32], NDArray[np.uint64]]:
    """Random theta, a quarter of it in the corners, and keys."""
    rng = np.random.default_rng(seed)
    theta = rng.random((count, len(load_patch(synth).parameters)), dtype=np.float32)
    corners = rng.choice(np.array([0.0, 1e-6, 0.5, 1.0], np.float32), theta.shape)
    theta[::4] = corners[::4]
    return theta, rng.integers(0, 2**64, count, dtype=np.uint64)


def digests(audio: NDArray[np.float32]) -> list[str]:
    return [hashlib.sha256(sound.tobytes()).hexdigest() for sound in audio]


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    made = load_engine("torchsynth", threads=2)
    yield made
    made.close()


@pytest.fixture(autouse=True)
def torch_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("form", FORMATS.values(), ids=FORMATS)
def test_voice_is_torchsynths_voice(form: dict[str, Any]) -> None:
    theta, keys = sounds("voice", 96)
    theta = np.maximum(theta, np.float32(1e-6))
    made = load_engine("torchsynth", threads=1, **form)
    samples = made.render(theta[:1], keys[:1]).shape[1]
    hiss = noise.white(keys, samples).numpy()
    theirs = play(plain_voice(96, **form), theta, hiss)
    ours = made.render(theta, keys)
    made.close()
    heard = np.abs(theirs).max(1) > 1e-3
    assert heard.mean() > 0.8
    correlation = [np.corrcoef(a, b)[0, 1] for a, b in zip(theirs[heard], ours[heard], strict=True)]
    assert min(correlation) > 0.99999
    assert np.abs(theirs - ours).max() < 0.02


def test_the_columns_of_theta_stand_in_voices_order() -> None:
    assert order(plain_voice(32)) == [(p.module, p.name) for p in load_patch("voice").parameters]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("synth", "form"),
    [pytest.param("voice", name, marks=[] if name == "paper" else pytest.mark.slow) for name in FORMATS]
    + [pytest.param(name, "22050 samples, 220 control", marks=pytest.mark.slow) for name in PATCHES if name != "voice"],
)
def test_the_bytes_of_a_sound_do_not_depend_on_its_company(synth: str, form: str) -> None:
    count = SOUNDS[synth]
    theta, keys = sounds(synth, count)
    turned = np.random.default_rng(1).permutation(count)
    reference: list[str] = []
    for threads, setting in ((1, 1), (2, 3)):
        torch.set_num_threads(setting)
        made = load_engine("torchsynth", synth=synth, threads=threads, **FORMATS[form])
        reference = reference or digests(made.render(theta, keys))
        assert digests(made.render(theta[turned], keys[turned])) == [reference[row] for row in turned]
        for size in (7, 33):
            parts = [made.render(theta[row : row + size], keys[row : row + size]) for row in range(0, count, size)]
            assert digests(np.concatenate(parts)) == reference
        for row in (0, 31, 32, count - 1):
            assert digests(made.render(theta[row : row + 1], keys[row : row + 1])) == [reference[row]]
        made.close()


@pytest.mark.slow
@pytest.mark.parametrize("synth", PATCHES)
@pytest.mark.parametrize("form", FORMATS.values(), ids=FORMATS)
def test_the_bytes_of_256_sounds_do_not_depend_on_threads(synth: str, form: dict[str, Any]) -> None:
    theta, keys = sounds(synth, 256)
    seen = set()
    for threads in (1, 2, 3):
        for setting in (1, 2, 3, 4):
            torch.set_num_threads(setting)
            made = load_engine("torchsynth", synth=synth, threads=threads, **form)
            seen.add(tuple(digests(made.render(theta, keys))))
            made.close()
    assert len(seen) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    "synth", [pytest.param(name, marks=pytest.mark.slow if name == "parametric" else []) for name in PATCHES]
)
def test_every_theta_gives_finite_audio_with_peaks_of_at_most_one(synth: str) -> None:
    made = load_engine("torchsynth", synth=synth, sample_rate=8_000, seconds=0.25, threads=2)
    audio = made.render(*sounds(synth, 2048, seed=3))
    width = len(made.parameters)
    ends = np.array([[0.0], [1e-6], [0.5], [1.0]], np.float32).repeat(width, axis=1)
    audio = np.concatenate([audio, made.render(ends, np.zeros(4, np.uint64))])
    made.close()
    assert np.isfinite(audio).all()
    assert np.abs(audio).max() <= 1.0
    assert (np.abs(audio).max(1) == 1.0).any()
    assert (np.abs(audio).max(1) < 1.0).any()


def test_audio_is_float32_contiguous_and_as_long_as_the_spec_says(engine: Engine) -> None:
    audio = engine.render(*sounds("voice", 3))
    assert (audio.shape, audio.dtype, audio.flags.c_contiguous) == ((3, 16_000), np.float32, True)
    assert engine.render(*sounds("voice", 0)).shape == (0, 16_000)


def test_below_1e_6_sounds_as_1e_6(engine: Engine) -> None:
    theta, keys = np.zeros((1, 78), np.float32), np.ones(1, np.uint64)
    assert np.array_equal(engine.render(theta, keys), engine.render(theta + np.float32(1e-6), keys))


def test_two_keys_give_two_noises_and_given_noise_replaces_both(engine: Engine) -> None:
    theta = np.full((2, 78), 0.5, np.float32)
    theta[:, 77] = 1.0
    keys = np.array([1, 2], np.uint64)
    one, other = engine.render(theta, keys)
    assert not np.array_equal(one, other)
    hiss = noise.white(keys, 16_000).numpy()
    assert np.array_equal(engine.render(theta, keys, noise=hiss), [one, other])
    assert np.array_equal(*engine.render(theta, keys, noise=np.ascontiguousarray(hiss[[0, 0]])))


def test_an_unknown_engine_patch_device_or_thread_count_is_refused() -> None:
    with pytest.raises(RefusedError, match="engine='fast' is not an engine of this worker; it has torchsynth"):
        load_engine("fast")
    with pytest.raises(RefusedError, match="synth='moog'"):
        load_engine("torchsynth", synth="moog")
    for device in ("abacus", "meta", "cuda:99"):
        with pytest.raises(ConfigError, match=f"device='{device}'.*use cpu, cuda"):
            load_engine("torchsynth", device=device)
    for threads in (0, -1, 1.5, True):
        with pytest.raises(ConfigError, match="is not a number of threads; use 1, 2"):
            load_engine("torchsynth", threads=threads)  # type: ignore[arg-type]


def test_importing_the_engines_loads_no_torch() -> None:
    code = "import sys, synth_server.engines; assert not {'torch', 'torchsynth'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_the_fingerprint_names_versions_and_capability_and_ends_with_a_hash(engine: Engine) -> None:
    assert engine.fingerprint.startswith("torchsynth 1.0.2, torch ")
    assert torch.backends.cpu.get_cpu_capability() in engine.fingerprint
    assert re.search(r", sounds [0-9a-f]{16}$", engine.fingerprint)


@pytest.mark.skipif(torch.backends.cpu.get_cpu_capability() == "DEFAULT", reason="torch has one arithmetic here")
@pytest.mark.slow
def test_the_fingerprint_is_the_same_for_any_number_of_threads_and_differs_with_the_arithmetic(engine: Engine) -> None:
    other = load_engine("torchsynth", threads=1)
    other.close()
    assert other.fingerprint == engine.fingerprint
    code = "from synth_server.engines import load_engine; print(load_engine('torchsynth', threads=1).fingerprint)"
    plain = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        timeout=60,
        text=True,
        capture_output=True,
        env={**os.environ, "ATEN_CPU_CAPABILITY": "default"},
    )
    assert plain.stdout.strip()[-16:] != engine.fingerprint[-16:]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("synth", PATCHES)
def test_a_gpu_gives_the_same_bytes_in_any_batch_and_nearly_those_of_the_cpu(synth: str) -> None:
    theta, keys = sounds(synth, 700)
    made, cpu = (load_engine("torchsynth", synth=synth, device=device, threads=2) for device in ("cuda", "cpu"))
    audio = made.render(theta, keys)
    assert np.array_equal(
        audio, np.concatenate([made.render(theta[:33], keys[:33]), made.render(theta[33:], keys[33:])])
    )
    there = np.abs(audio[:64]).max(1) > 1e-3
    pairs = zip(audio[:64][there], cpu.render(theta[:64], keys[:64])[there], strict=True)
    assert np.median([np.corrcoef(a, b)[0, 1] for a, b in pairs]) > 0.999
