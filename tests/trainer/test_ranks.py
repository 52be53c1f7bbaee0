"""`trainer fit` under torchrun: two processes end with the weights of one that trains on the same batches."""

from __future__ import annotations

import os
import shutil
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


#: The same program, with a run folder for each process: what a file system does that shows them different files.
APART = """
import os, runpy, sys
at = sys.argv.index("--run") + 1
sys.argv[at] += os.environ["RANK"]
runpy.run_path(os.environ["PROGRAM"], run_name="__main__")
"""


def trained(run: Path, launcher: list[str], *more: str, program: str = tone_stream.__file__) -> tuple[int, str]:
    """The exit code, and what was said of it."""
    flags = [word for name, value in SETTINGS.items() for word in (f"--{name}", value) if word is not None]
    command = [sys.executable, *launcher, program, "fit", "--run", str(run), *map(str, flags), *more]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PROGRAM": tone_stream.__file__}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=140, check=False)
    return done.returncode, done.stderr


def train(run: Path, launcher: list[str], *more: str) -> None:
    code, said = trained(run, launcher, *more)
    assert code == 0, said


def test_two_processes_end_with_the_weights_of_one(tmp_path: Path) -> None:
    train(tmp_path / "one", [])
    train(tmp_path / "two", TORCHRUN, "--devices", "2")
    one, two = weights(tmp_path / "one"), weights(tmp_path / "two")
    assert one.keys() == two.keys()
    for name, value in one.items():
        torch.testing.assert_close(two[name], value, atol=1e-5, rtol=1e-4)


def test_processes_that_find_different_checkpoints_do_not_go_on(tmp_path: Path) -> None:
    train(tmp_path / "run0", [], "--checkpoint_every", "1")
    shutil.copytree(tmp_path / "run0", tmp_path / "run1")
    for run, kept in (("run0", 3), ("run1", 2)):
        for step in range(kept + 1, 5):
            (tmp_path / run / "checkpoints" / f"step-{step:08}.ckpt").unlink()
    program = tmp_path / "apart.py"
    program.write_text(APART)
    code, said = trained(tmp_path / "run", TORCHRUN, "--devices", "2", "--resume", program=str(program))
    assert code != 0
    assert "different checkpoints: step 3 in process 0, 2 in process 1" in said
