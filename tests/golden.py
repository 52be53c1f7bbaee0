"""The golden digests of the fused engine: what its sounds are, on every machine, until someone says why not.

python -m tests.golden            compare, and say what differs
python -m tests.golden --why "…"  refresh them; the reason is written beside them, with the version of the law
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth_server import draws
from synth_server.engines import load_engine
from synth_server.engines.fused.engine import LAW
from synth_server.patches import PATCHES, load_patch

PATH = Path(__file__).parent / "synth_server/fused/golden.json"
SOUNDS = 24

#: Rates and lengths: the default one; odd numbers of samples; segments that are cut; more segments than samples' worth.
FORMATS: dict[str, dict[str, Any]] = {
    "16000 samples, 480 control": {},
    "16001 samples, 437 control": {"seconds": 1.00005, "control_rate": 437},
    "22050 samples, 220 control": {"sample_rate": 44_100, "seconds": 0.5, "control_rate": 441},
    "4800 samples, 4800 control": {"sample_rate": 48_000, "seconds": 0.1, "control_rate": 48_000},
}


def sounds(synth: str, count: int = SOUNDS, seed: int = 0) -> tuple[NDArray[np.float32], NDArray[np.uint64]]:
    """Theta, a quarter of it in the corners, and keys; from a counter cipher, so the same everywhere."""
    width = len(load_patch(synth).parameters)
    raw = np.asarray(np.random.Philox(key=seed).random_raw(count * (2 * width + 1)), np.uint64)
    theta = draws.uniform(raw[: count * width]).astype(np.float32).reshape(count, width)
    picks = (raw[count * width : 2 * count * width] >> np.uint64(62)).astype(np.int64).reshape(count, width)
    theta[::4] = np.array([0.0, 1e-6, 0.5, 1.0], np.float32)[picks[::4]]
    return theta, raw[2 * count * width :]


def digests(audio: NDArray[np.float32]) -> list[str]:
    """SHA-256 of each sound, shortened."""
    return [hashlib.sha256(sound.astype("<f4").tobytes()).hexdigest()[:16] for sound in audio]


def measure(synth: str, device: str = "cpu") -> dict[str, list[str]]:
    """The digests of a patch by format."""
    found = {}
    for name, form in FORMATS.items():
        engine = load_engine("fused", synth=synth, device=device, threads=1, **form)
        found[name] = digests(engine.render(*sounds(synth)))
        engine.close()
    return found


def main() -> int:
    """Compare, or refresh."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--why", help="why the sounds may change; refreshes the digests")
    why = parser.parse_args().why
    measured = {synth: measure(synth) for synth in PATCHES}
    kept = json.loads(PATH.read_text()) if PATH.exists() else {"digests": {}, "reasons": []}
    changed = [synth for synth in PATCHES if kept["digests"].get(synth) != measured[synth]]
    print(f"law {LAW}: {'different: ' + ', '.join(changed) if changed else 'the same'}")  # noqa: T201
    if why is None or not changed:
        return 1 if changed else 0
    reasons = [*kept["reasons"], {"law": LAW, "why": why}]
    PATH.write_text(json.dumps({"reasons": reasons, "digests": measured}, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
