"""Sounds of several layers: the sum of whole sounds, each of its own theta and noise, scaled like one."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pairstream import connect
from pairstream.errors import RefusedError
from pairstream.spec import StreamSpec
from synth_server.config import ServeSettings
from synth_server.engines import ENGINES, load_engine
from synth_server.layers import together
from synth_server.limits import LOCAL, MIB, Limits
from synth_server.metrics import WorkerMetrics
from synth_server.patches import PATCHES, load_patch
from synth_server.perturb import perturb
from synth_server.renderer import Renderer, open_local
from synth_server.sampling import noise_keys, sample
from synth_server.server import Server

OTHERS = [(synth, engine) for engine in ENGINES for synth in PATCHES if (synth, engine) != ("voice", "fused")]
SMALL = StreamSpec(block_pairs=6, seconds=0.25, layers=3, seed=7)
GOLDEN = {
    "float32": "cae770778c0935e6744dcf568082b38c4dead850e0bb5aab91d21d64c3698e4e",
    "float16": "8aaa16d12d5c3747307a233acef5d7367979255818e9c57e5dcbf0cd82cb78a1",
}


def render(spec: StreamSpec, index: int = 2, **settings: Any) -> Any:
    with Renderer(spec, **settings) as renderer:
        return renderer.render(index)


def test_a_sum_is_scaled_only_where_its_peak_exceeds_one() -> None:
    one, other = np.array([[0.5, -0.25], [0.75, 0.5]], np.float32), np.array([[0.25, 0.0], [0.75, -1.0]], np.float32)
    assert np.array_equal(together([one.copy(), other]), [[0.75, -0.25], [1.0, np.float32(-0.5 / 1.5)]])
    assert np.array_equal(together([one.copy()]), one)


@pytest.mark.parametrize(
    ("synth", "engine"),
    [("voice", "fused"), *(pytest.param(*both, marks=pytest.mark.slow) for both in OTHERS)],
)
def test_a_view_is_the_sum_of_sounds_with_theta_and_noise_of_their_own(synth: str, engine: str) -> None:
    spec = replace(SMALL, synth=synth, engine=engine)
    patch, width = load_patch(synth), len(load_patch(synth).parameters)
    block = render(spec, threads=1)
    assert block.theta.shape == (6, 2, 3 * width)
    total = np.zeros(block.audio.shape, np.float64)
    player = load_engine(engine, synth=synth, seconds=0.25, threads=1)
    for layer in range(3):
        views = perturb(spec, patch, 2, sample(spec, patch, 2, layer), layer)
        assert np.array_equal(block.theta[:, :, layer * width : (layer + 1) * width], views)
        played = player.render(views.reshape(12, width), noise_keys(spec, 2, layer).reshape(12))
        total += played.reshape(block.audio.shape)
    player.close()
    expected = total / np.maximum(np.abs(total).max(axis=2, keepdims=True), 1.0)
    np.testing.assert_allclose(block.audio, expected, atol=1e-6)
    assert np.abs(block.audio).max() <= 1.0


def test_layer_0_is_the_sound_of_one_layer_and_no_two_layers_are_alike() -> None:
    patch, width = load_patch("voice"), len(load_patch("voice").parameters)
    single, triple = render(replace(SMALL, layers=1), threads=1), render(SMALL, threads=1)
    assert np.array_equal(single.theta, triple.theta[:, :, :width])
    keys = [noise_keys(SMALL, 2, layer).tobytes() for layer in range(3)]
    bases = [sample(SMALL, patch, 2, layer).tobytes() for layer in range(3)]
    assert len({*keys}) == len({*bases}) == 3


@pytest.mark.parametrize("dtype", GOLDEN)
def test_layered_sounds_have_the_same_bytes_everywhere(dtype: str) -> None:
    spec = replace(SMALL, dtype=dtype)
    blocks = [render(spec, threads=threads) for threads in (1, 2)]
    settings = ServeSettings(
        bind="tcp://127.0.0.1:0", grpc="127.0.0.1:0", http="127.0.0.1:0", drain_seconds=2, capacity=1
    )
    with Server(settings, open_local, WorkerMetrics()) as server:
        for url in ("local://", server.addresses.data, f"grpc://{server.addresses.grpc}"):
            with connect(url, spec) as client:
                blocks.append(client.fetch(2))
    digests = {hashlib.sha256(block.audio.tobytes()).hexdigest() for block in blocks}
    assert digests == {GOLDEN[dtype]}


def test_float16_is_float32_rounded() -> None:
    half = render(replace(SMALL, dtype="float16"), threads=1).audio
    assert np.array_equal(half, render(SMALL, threads=1).audio.astype(np.float16))


def test_layers_count_in_the_limits() -> None:
    LOCAL.check(replace(SMALL, layers=16))
    with pytest.raises(RefusedError, match="layers=17 is more than the 16"):
        LOCAL.check(replace(SMALL, layers=17))
    spec = StreamSpec(block_pairs=128, seconds=1.0)
    Limits(block_bytes=40 * MIB).check(replace(spec, layers=2))
    with pytest.raises(RefusedError, match=r"128 pairs of 1.0 s in 3 layers has 47 MiB .*lower block_pairs"):
        Limits(block_bytes=40 * MIB).check(replace(spec, layers=3))
