"""Objectives teach a small encoder, in a minute, to find the other view of a sound that it never heard."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from trainer.config import FitSettings, SpecChoice
from trainer.fit import fit
from trainer.picture import Picture

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.filterwarnings("ignore:.*LeafSpec:FutureWarning"),
]

CASES: dict[str, dict[str, Any]] = {
    "alignment-uniformity": {"projector": (64,)},
    "nt-xent": {"projector": (128, 64)},
    "vicreg": {"projector": (128, 128)},
    "barlow-twins": {"projector": (128, 128)},
    # It pushes no two sounds apart, and needs more steps, from pictures that do not all say first how loud they are.
    "byol": {
        "projector": (256, 64),
        "frontend": Picture(levels="per-sound"),
        "tau": 0.9,
        "lr": 3e-3,
        "max_steps": 500,
        "held_out": 1_024,
        "spec": SpecChoice(delta=0.05, block_pairs=64),
    },
}
SHARED: dict[str, Any] = {
    "optimiser": "adam",
    "schedule": "cosine",
    "warmup": 0.05,
    "spec": SpecChoice(delta=0.02, block_pairs=64),
    "encoder": "byola-small",
    "width": 4,
    "lr": 5e-3,
    "max_steps": 60,
    "held_out": 256,
    "threads": 1,
    "accelerator": "cpu",
    "quiet": True,
}


@pytest.mark.parametrize("objective", CASES)
def test_it_raises_hit_at_1_among_held_out_pairs(objective: str, tmp_path: Path) -> None:
    summary = fit(FitSettings(run=tmp_path / "run", objective=objective, **SHARED | CASES[objective]))
    assert summary.hit_at_1_before is not None
    assert summary.hit_at_1_after is not None
    more = 0.015 if objective == "byol" else 0.02
    assert summary.hit_at_1_after > summary.hit_at_1_before + more
