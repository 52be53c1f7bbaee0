"""The compiled code of the CUDA kernel: what it is made of, and, run on the CPU, that it gives the golden digests.

No card is needed: a C compiler plays one. What that cannot show is left to test_fused_cuda_card.py.
"""

from __future__ import annotations

import json
import re
import shutil
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numba
import numpy as np
import pytest
from ptx_on_cpu import PtxOnCpu

from synth_server.engines import load_engine
from synth_server.engines.fused.grid import grid
from synth_server.engines.fused.wiring import wire
from synth_server.patches import PATCHES, load_patch
from tests import golden

pytest.importorskip("numba_cuda", reason="numba-cuda is not installed")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

KEPT = json.loads(golden.PATH.read_text())["digests"]
WORDS = {"float32": np.float32, "float16": np.uint16}
THREADS = 128


def arguments(synth: str, form: dict[str, Any], dtype: str, *, hiss: Any = None, threads: int = THREADS) -> list[Any]:
    """What the kernel is called with: the golden sounds, and memory full of what was there before."""
    from synth_server.engines.fused.cuda.program import segments_of
    from synth_server.engines.fused.cuda.rooms import make_rooms

    form = {"sample_rate": 16_000, "seconds": 1.0, "control_rate": 480} | form
    seconds, rates = form["seconds"], (form["sample_rate"], form["control_rate"])
    tables, times = wire(load_patch(synth)), grid(*(round(seconds * rate) for rate in rates), *rates)
    theta, keys = golden.sounds(synth)
    halves = np.stack([keys & np.uint64(0xFFFFFFFF), keys >> np.uint64(32)], axis=1).astype(np.uint32)
    rooms = make_rooms(tables, times, len(theta), threads, lambda shape, dtype: np.full(shape, 77, dtype))
    noise = np.empty((len(theta), 0), np.float32) if hiss is None else hiss
    audio = np.full((len(theta), times.samples), 77, WORDS[dtype])
    return [tables, times, segments_of(times), rooms, np.maximum(theta, np.float32(1e-6)), halves, noise, audio]


def compiled(dtype: str, how: AbstractContextManager[None]) -> str:
    """The kernel's PTX for cards of compute capability 9.0."""
    from numba import cuda

    from synth_server.engines.fused.cuda.kernel import KERNELS

    given = tuple(map(numba.typeof, arguments("voice", {}, dtype)))
    with how, pytest.MonkeyPatch.context() as patch:
        here = SimpleNamespace(compute_capability=(9, 0))
        patch.setattr(cuda.dispatcher, "get_current_device", lambda: here)  # asked for each function
        return str(cuda.compile_ptx(KERNELS[dtype].py_func, given, cc=(9, 0))[0])


@pytest.fixture(scope="module")
def ptx() -> dict[str, str]:
    from synth_server.engines.fused.cuda.compiler import unfused

    return {dtype: compiled(dtype, unfused()) for dtype in WORDS}


@pytest.fixture(scope="module")
def machines(ptx: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, PtxOnCpu]:
    if shutil.which("cc") is None:
        pytest.skip("there is no C compiler to play a card")
    return {dtype: PtxOnCpu(code, tmp_path_factory.mktemp(dtype)) for dtype, code in ptx.items()}


def operations(code: str) -> set[str]:
    return set(re.findall(r"^\s*(?:@!?%p\d+\s+)?([a-z][\w.]*)", code, re.MULTILINE))


@pytest.mark.parametrize("dtype", WORDS)
def test_every_operation_is_rounded_once_and_to_the_nearest(dtype: str, ptx: dict[str, str]) -> None:
    used = operations(ptx[dtype])
    floats = {name for name in used if re.match(r"(add|sub|mul|div|rcp|sqrt|fma|mad)\b.*\.f(16|32|64)$", name)}
    assert {"add.rn.f32", "sub.rn.f32", "mul.rn.f32", "div.rn.f32", "mul.rn.f64"} <= floats
    assert all(re.fullmatch(r"(add|sub|mul|div|rcp)\.rn\.f(32|64)", name) for name in floats), floats


@pytest.mark.parametrize("dtype", WORDS)
def test_it_approximates_and_flushes_nothing_and_calls_no_library(dtype: str, ptx: dict[str, str]) -> None:
    used = operations(ptx[dtype])
    assert not [name for name in used if re.search(r"\b(fma|approx|ftz|ex2|lg2|sin|cos|tanh|rsqrt|call)\b", name)]
    assert ".extern" not in ptx[dtype]


def test_left_alone_the_compiler_would_fuse() -> None:
    assert "fma.rn.f32" in operations(compiled("float32", nullcontext()))


@pytest.mark.parametrize("dtype", WORDS)
def test_no_other_compiler_has_the_last_word_where_there_is_a_card(dtype: str) -> None:
    """numba-cuda hands its intermediate code to the linker's compiler there, unless told not to; and that one fuses."""
    from numba.cuda import decorators

    from synth_server.engines.fused.cuda import kernel

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decorators, "_have_nvjitlink", lambda: True)
        made = kernel._kernel(kernel.half if dtype == "float16" else kernel._same)
        assert made.targetoptions["lto"] is False
        assert made.targetoptions["fastmath"] is False
        assert made.targetoptions["max_registers"] == 80


@pytest.mark.parametrize("form", golden.FORMATS)
@pytest.mark.parametrize("synth", PATCHES)
def test_the_compiled_kernel_gives_the_golden_digests(synth: str, form: str, machines: dict[str, PtxOnCpu]) -> None:
    given = arguments(synth, golden.FORMATS[form], "float32")
    machines["float32"].launch(golden.SOUNDS, THREADS, *given)
    assert golden.digests(given[-1]) == KEPT[synth][form]


@pytest.mark.parametrize(("synth", "threads"), [("voice", 32), ("voice-fm", 256), ("parametric", 16)])
def test_neither_the_number_nor_the_order_of_threads_matters(
    synth: str, threads: int, machines: dict[str, PtxOnCpu]
) -> None:
    name = "16001 samples, 437 control"
    given = arguments(synth, golden.FORMATS[name], "float32", threads=threads)
    machines["float32"].launch(golden.SOUNDS, threads, *given, backwards=True)
    assert golden.digests(given[-1]) == KEPT[synth][name]


def test_float16_and_given_noise_are_those_of_the_cpu(machines: dict[str, PtxOnCpu]) -> None:
    hiss = np.random.default_rng(0).uniform(-1, 1, (golden.SOUNDS, 16_000)).astype(np.float32)
    given = arguments("voice-fm", {}, "float16", hiss=hiss)
    machines["float16"].launch(golden.SOUNDS, THREADS, *given)
    engine = load_engine("fused", synth="voice-fm", threads=1)
    wanted = engine.render(*golden.sounds("voice-fm"), noise=hiss, dtype="float16")
    engine.close()
    assert np.array_equal(given[-1], wanted.view(np.uint16))


def test_a_missing_barrier_is_found(ptx: dict[str, str], tmp_path: Path) -> None:
    if shutil.which("cc") is None:
        pytest.skip("there is no C compiler to play a card")
    seen = []
    places = [match.start() for match in re.finditer(r"bar\.sync", ptx["float32"])]
    for place in places[:2]:
        code = ptx["float32"][:place] + re.sub(r"bar\.sync[^;]*;", "", ptx["float32"][place:], count=1)
        folder = tmp_path / str(place)
        folder.mkdir()
        machine = PtxOnCpu(code, folder)
        for backwards in (False, True):
            given = arguments("voice", golden.FORMATS["4800 samples, 4800 control"], "float32")
            machine.launch(golden.SOUNDS, THREADS, *given, backwards=backwards)
            seen.append(golden.digests(given[-1]) == KEPT["voice"]["4800 samples, 4800 control"])
    assert not all(seen)
