"""The engine on a CUDA card as numba simulates one, thread by thread in Python: the bytes of the CPU, slowly."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from synth_server.engines import load_engine
from tests.golden import sounds

pytestmark = pytest.mark.slow

#: numba must be told before it is imported; without a compiler the scalars are NumPy's, as the formulas expect.
SIMULATED = {"NUMBA_ENABLE_CUDASIM": "1", "NUMBA_DISABLE_JIT": "1"}

SCRIPT = """
import sys
import numpy as np
from synth_server.engines import load_engine
from synth_server.engines.fused.cuda import player, program
from tests.golden import sounds
player.THREADS, program.CROWD = int(sys.argv[2]), 2
synth, (seconds, control_rate), out = sys.argv[1], map(float, sys.argv[3:5]), sys.argv[5]
engine = load_engine("fused", synth=synth, device="cuda", seconds=seconds, control_rate=int(control_rate))
theta, keys = sounds(synth, 3)
audio = engine.render(theta, keys)
hiss = np.linspace(-1, 1, 3 * audio.shape[1], dtype=np.float32).reshape(3, -1)
np.savez(
    out, audio=audio, given=engine.render(theta[:1], keys[:1], noise=hiss[:1]),
    halves=engine.render(theta[:1], keys[:1], dtype="float16"), none=engine.render(theta[:0], keys[:0]),
    on_card=engine.render_on_device(theta, keys).copy_to_host(), fingerprint=engine.fingerprint,
)
engine.close()
"""


def simulated(folder: Path, synth: str, threads: int, seconds: float, control_rate: int) -> Any:
    out = folder / "played.npz"
    words = map(str, (synth, threads, seconds, control_rate, out))
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *words],
        check=False,
        capture_output=True,
        text=True,
        timeout=110,
        cwd=Path(__file__).parents[3],
        env=os.environ | SIMULATED,
    )
    assert done.returncode == 0, done.stderr
    return np.load(out)


@pytest.mark.parametrize(
    ("synth", "threads", "samples", "control_rate"),
    [
        ("voice-fm", 16, 131, 480),
        ("voice", 32, 321, 437),
        ("voice", 16, 400, 80),
        ("voice-fm", 32, 96, 48_000),
        ("parametric", 48, 257, 480),
        ("voice", 16, 1, 16_000),
    ],
)
def test_a_simulated_card_gives_the_bytes_of_the_cpu(
    synth: str, threads: int, samples: int, control_rate: int, tmp_path: Path
) -> None:
    form = {"seconds": samples / 16_000, "control_rate": control_rate}
    found = simulated(tmp_path, synth, threads, **form)
    engine = load_engine("fused", synth=synth, threads=1, **form)
    theta, keys = sounds(synth, 3)
    wanted = engine.render(theta, keys)
    hiss = np.linspace(-1, 1, wanted.size, dtype=np.float32).reshape(wanted.shape)
    assert wanted.shape == (3, samples)
    assert found["audio"].tobytes() == wanted.tobytes() == found["on_card"].tobytes()
    assert found["given"].tobytes() == engine.render(theta[:1], keys[:1], noise=hiss[:1]).tobytes()
    assert found["halves"].tobytes() == engine.render(theta[:1], keys[:1], dtype="float16").tobytes()
    assert found["none"].shape == (0, samples)
    assert str(found["fingerprint"]) == engine.fingerprint
    engine.close()


def test_a_card_that_is_not_there_is_refused_in_one_line() -> None:
    script = "from synth_server.engines import load_engine\nload_engine('fused', device='cuda:7')"
    done = subprocess.run(
        [sys.executable, "-c", script],
        check=False, capture_output=True, text=True, timeout=110, cwd=Path(__file__).parents[3],
        env=os.environ | SIMULATED,
    )  # fmt: skip
    assert done.stderr.strip().endswith("ConfigError: device='cuda:7' is not there; use one of cuda:0")
