"""Compiled for another processor the fused engine gives the same bytes, and nowhere a fused multiply-add."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

#: numba's names of processors and what they can do: SSE2 only, AVX2 with FMA, and 512-bit vectors with FMA.
TARGETS = {
    "SSE2": ("generic", "+sse2"),
    "AVX2": ("haswell", "+avx2,+fma"),
    "AVX-512": ("skylake-avx512", "+avx512f,+avx512bw,+avx512dq,+avx512vl,+fma,-prefer-256-bit"),
}

SCRIPT = """
import json, sys
from synth_server.patches import PATCHES
from tests import golden
json.dump({synth: golden.measure(synth) for synth in PATCHES}, sys.stdout)
"""

FAST_MATH = """
import json, sys
from synth_server.engines.fused import jit
jit._OPTIONS["fastmath"] = True
from tests import golden
json.dump(golden.measure("voice"), sys.stdout)
"""

ASSEMBLY = """
import numpy as np
from synth_server.engines.fused import kernel
from synth_server.engines.fused.grid import grid
from synth_server.engines.fused.wiring import wire
from synth_server.patches import load_patch
none = np.empty((0, 0), np.float32)
kernel.play(wire(load_patch("voice")), grid(16000, 480, 16000, 480), np.zeros(1, np.int64),
            np.empty((0, 78), np.float32), np.empty(0, np.uint64), none, none, none.astype(np.uint16))
print("\\n".join(kernel.play.inspect_asm().values()))
"""


def _can(target: str) -> bool:
    flags = set(re.findall(r"\w+", Path("/proc/cpuinfo").read_text())) if Path("/proc/cpuinfo").exists() else set()
    return {"SSE2": "sse2", "AVX2": "avx2", "AVX-512": "avx512dq"}[target] in flags


def _run(script: str, target: str, cache: Path) -> str:
    name, features = TARGETS[target]
    done = subprocess.run(
        [sys.executable, "-c", script],
        check=True,
        capture_output=True,
        text=True,
        timeout=280,
        cwd=Path(__file__).parents[3],
        env={**os.environ, "NUMBA_CPU_NAME": name, "NUMBA_CPU_FEATURES": features, "NUMBA_CACHE_DIR": str(cache)},
    )
    return done.stdout


@pytest.mark.parametrize("target", TARGETS)
def test_a_processor_gives_the_golden_digests(target: str, tmp_path: Path) -> None:
    if not _can(target):
        pytest.skip(f"this processor cannot run code for {target}")
    golden = json.loads((Path(__file__).parent / "golden.json").read_text())
    assert json.loads(_run(SCRIPT, target, tmp_path)) == golden["digests"]


def test_a_build_with_fast_math_gives_other_digests(tmp_path: Path) -> None:
    golden = json.loads((Path(__file__).parent / "golden.json").read_text())["digests"]["voice"]
    if not _can("AVX2"):
        pytest.skip("this processor has no fused multiply-add to be tempted by")
    found = json.loads(_run(FAST_MATH, "AVX2", tmp_path))
    for form, kept in golden.items():
        assert sum(a != b for a, b in zip(found[form], kept, strict=True)) > len(kept) // 2


def test_the_assembly_has_wide_vectors_and_no_fused_multiply_add(tmp_path: Path) -> None:
    if not _can("AVX-512"):
        pytest.skip("this processor has no AVX-512 to compile for")
    assembly = _run(ASSEMBLY, "AVX-512", tmp_path)
    assert len(re.findall("zmm", assembly)) > 200
    assert not re.findall(r"\bvf(?:n?m)(?:add|sub)\w*", assembly)
    assert re.findall(r"\bvmulps", assembly)


def test_the_assembly_calls_no_library_of_mathematics(tmp_path: Path) -> None:
    if not _can("AVX2"):
        pytest.skip("this processor has no AVX2 to compile for")
    assembly = _run(ASSEMBLY, "AVX2", tmp_path)
    names = r"__svml_\w+|sinf?|cosf?|expf?|exp2f?|logf?|log2f?|powf?|tanhf?|fmaf?"
    assert re.findall(r"movabs\w*\s+\$NRT_", assembly)
    assert not re.findall(rf"(?:call|jmp|movabs)\w*\s+\$?(?:{names})\b", assembly)
