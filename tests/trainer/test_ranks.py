"""`trainer fit` under torchrun: two processes end with the weights of one that trains on the same batches."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import tone_stream
import torch
from tiny_training import weights

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

#: No batch statistics, which processes on CPUs do not share; small enough for a test.
SETTINGS = {
    "encoder": "ast-tiny",
    "objective": "alignment-uniformity",
    "projector": "[]",
    "width": 64,
    "optimiser": "sgd",
    "lr": 0.5,
    "max_steps": 4,
    "spec.block_pairs": 4,
    "batch_pairs": 8,
    "accumulate": 2,
    "theta_weight": 1.0,
    "held_out": 0,
    "threads": 1,
    "accelerator": "cpu",
    "quiet": None,
}
#: The double dash keeps --run from torchrun.
TORCHRUN = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2", "--"]


def train(run: Path, launcher: list[str], *more: str) -> None:
    flags = [word for name, value in SETTINGS.items() for word in (f"--{name}", value) if word is not None]
    command = [sys.executable, *launcher, tone_stream.__file__, "fit", "--run", str(run), *map(str, flags), *more]
    done = subprocess.run(
        command, env=os.environ | {"OMP_NUM_THREADS": "1"}, capture_output=True, text=True, timeout=140, check=False
    )
    assert done.returncode == 0, done.stderr


def test_two_processes_end_with_the_weights_of_one(tmp_path: Path) -> None:
    train(tmp_path / "one", [])
    train(tmp_path / "two", TORCHRUN, "--devices", "2")
    one, two = weights(tmp_path / "one"), weights(tmp_path / "two")
    assert one.keys() == two.keys()
    for name, value in one.items():
        torch.testing.assert_close(two[name], value, atol=1e-5, rtol=1e-4)
