"""The trainer itself, with two processes: killed, and resumed with one. Every step saw the pairs it would have seen."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import recorded_training

from trainer.run_folder import RunFolder

pytestmark = pytest.mark.slow

STEPS = 16
PATIENCE = 100.0
SETTINGS = {
    "max_steps": STEPS,
    "width": 2,
    "spec.block_pairs": 8,
    "batch_pairs": 16,
    "held_out": 0,
    "checkpoint_every": 4,
    "threads": 1,
    "accelerator": "cpu",
}


def training(run: Path, record: Path, *more: str, block_seconds: float = 0.0) -> subprocess.Popen[str]:
    """`trainer fit` on a toy stream, with its processes in a group of their own."""
    record.mkdir(exist_ok=True)
    flags = [text for name, value in (SETTINGS | {"run": run}).items() for text in (f"--{name}", str(value))]
    surroundings = {"TOY_RECORD": str(record), "TOY_STREAM_BLOCK_SECONDS": str(block_seconds)}
    return subprocess.Popen(
        [sys.executable, recorded_training.__file__, "fit", *flags, *more],
        env=os.environ | surroundings,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finish(process: subprocess.Popen[str]) -> None:
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err


def kill_after_a_checkpoint(process: subprocess.Popen[str], run: Path) -> None:
    """SIGKILL to all processes of a run, once it has something to go on from."""
    deadline = time.monotonic() + PATIENCE
    while RunFolder(run).newest_checkpoint() is None:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, "the run did not come to a checkpoint"
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=10)


def test_killed_with_two_processes_and_resumed_with_one_every_step_sees_the_same_pairs(tmp_path: Path) -> None:
    finish(training(tmp_path / "whole", tmp_path / "expected"))
    expected = recorded_training.recorded(tmp_path / "expected")
    assert list(expected) == [*range(1, STEPS + 1)]
    doomed = training(tmp_path / "run", tmp_path / "seen", "--devices", "2", block_seconds=0.4)
    kill_after_a_checkpoint(doomed, tmp_path / "run")
    assert len(list((tmp_path / "seen").glob("*.jsonl"))) == 2, "two processes trained"
    assert max(recorded_training.recorded(tmp_path / "seen")) < STEPS, "they were killed before the end"
    finish(training(tmp_path / "run", tmp_path / "seen", "--resume"))
    assert recorded_training.recorded(tmp_path / "seen") == expected
