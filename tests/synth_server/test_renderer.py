"""(spec, index) -> PairBlock: a pure function, in the shapes and the type of the spec."""

from __future__ import annotations

import math
from importlib.metadata import entry_points
from typing import Any

import numpy as np
import pytest

from pairstream import allocator
from pairstream.errors import ConfigError, RefusedError, RenderError
from pairstream.messages import Layout
from pairstream.spec import StreamSpec
from synth_server.patches import PATCHES, load_patch
from synth_server.perturb import perturb
from synth_server.renderer import Renderer
from synth_server.sampling import noise_keys, sample

SMALL = StreamSpec(block_pairs=20, sample_rate=16_000, seconds=0.25)


def render(spec: StreamSpec, index: int, **settings: Any) -> Any:
    with Renderer(spec, **settings) as renderer:
        return renderer.render(index)


@pytest.mark.parametrize("synth", PATCHES)
def test_a_block_has_the_shapes_of_its_spec(synth: str) -> None:
    spec = StreamSpec(synth=synth, block_pairs=3, sample_rate=16_000, seconds=0.25)
    with Renderer(spec, threads=1) as renderer:
        block = renderer.render(7)
        assert renderer.layout == Layout(
            pairs=3, parameters=len(renderer.parameters), samples=spec.samples, dtype="float32"
        )
    assert (block.index, block.digest) == (7, spec.digest)
    assert (block.theta.shape, block.audio.shape) == ((3, 2, len(load_patch(synth).parameters)), (3, 2, 4_000))
    assert np.abs(block.audio).max() <= 1.0


def test_a_block_is_the_three_stages_one_after_the_other() -> None:
    voice, seen = load_patch("voice"), []
    with Renderer(SMALL, threads=1, observe=lambda stage, seconds: seen.append((stage, seconds))) as renderer:
        block = renderer.render(5)
        views = perturb(SMALL, voice, 5, sample(SMALL, voice, 5))
        keys = noise_keys(SMALL, 5)
        assert np.array_equal(block.theta, views)
        for view in (0, 1):
            alone = renderer._engine.render(np.ascontiguousarray(views[:, view]), np.ascontiguousarray(keys[:, view]))
            assert np.array_equal(block.audio[:, view], alone)
    assert [stage for stage, _ in seen] == ["sampling", "perturb", "engine"]
    assert all(0.0 < seconds < math.inf for _, seconds in seen)


def test_a_block_is_the_same_from_any_renderer_in_any_order() -> None:
    with Renderer(SMALL, threads=1) as one, Renderer(SMALL, threads=2) as other:
        forwards = [one.render(index).sha256() for index in (0, 1, 2)]
        backwards = [other.render(index).sha256() for index in (2, 1, 0)]
        assert one.fingerprint == other.fingerprint
    assert forwards == backwards[::-1]
    assert len(set(forwards)) == 3


def test_a_pair_is_the_same_in_blocks_of_any_size() -> None:
    large = StreamSpec(**{**SMALL.as_dict(), "block_pairs": 40})
    both = [render(SMALL, index, threads=1).audio for index in (2, 3)]
    assert np.array_equal(render(large, 1, threads=2).audio, np.concatenate(both))


def test_views_of_a_pair_are_near_and_yet_differ_in_noise() -> None:
    block = render(StreamSpec(**{**SMALL.as_dict(), "delta": 0.0}), 0, threads=1)
    assert np.array_equal(block.theta[:, 0], block.theta[:, 1])
    assert not np.array_equal(block.audio[:, 0], block.audio[:, 1])


def test_float16_is_float32_rounded() -> None:
    half = render(StreamSpec(**{**SMALL.as_dict(), "dtype": "float16"}), 1, threads=1)
    assert half.audio.dtype == np.float16
    assert np.array_equal(half.audio, render(SMALL, 1, threads=1).audio.astype(np.float16))


def test_what_the_worker_does_not_have_is_refused() -> None:
    with pytest.raises(RefusedError, match="synth='moog'"):
        Renderer(StreamSpec(synth="moog"))
    with pytest.raises(RefusedError, match="engine='fast'"):
        Renderer(StreamSpec(engine="fast"))
    with Renderer(SMALL, threads=1) as renderer, pytest.raises(ConfigError, match="index=-1"):
        renderer.render(-1)


def test_a_failing_engine_is_a_render_error_that_names_the_block(monkeypatch: pytest.MonkeyPatch) -> None:
    with Renderer(SMALL, threads=1) as renderer:

        def fail(*_: Any, **__: Any) -> Any:
            raise RuntimeError("out of memory")

        monkeypatch.setattr(renderer._engine, "render", fail)
        with pytest.raises(RenderError, match=r"block 3: 40 sounds of 0.25 s .*out of memory.*block_pairs"):
            renderer.render(3)


def test_close_may_be_repeated_and_ends_the_rendering() -> None:
    renderer = Renderer(SMALL, threads=1)
    renderer.close()
    renderer.close()
    with pytest.raises(RenderError):
        renderer.render(0)


def test_local_streams_find_the_renderer() -> None:
    (found,) = entry_points(group="pairstream.renderers", name="local")
    assert callable(found.load())


def test_tuning_the_allocator_says_whether_it_did_and_may_be_repeated() -> None:
    assert allocator.tune() == allocator.tune()
