"""Real processes: killed, terminated, resumed; and the weights are those of an uninterrupted run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import tone_stream
import torch

from trainer.checkpoints import read_checkpoint
from trainer.journal import read_journal
from trainer.run_folder import RunFolder

pytestmark = pytest.mark.slow

TOY = Path(tone_stream.__file__)
STEPS = 30
PATIENCE = 60.0


def command(run: Path, *more: str) -> list[str]:
    settings = {"run": run, "max_steps": STEPS, "width": 2, "spec.block_pairs": 8, "held_out": 0, "log_every": 1}
    flags = [text for name, value in settings.items() for text in (f"--{name}", str(value))]
    device = ["--accelerator", "cpu", "--threads", "1", "--checkpoint_every", "5"]
    return [sys.executable, str(TOY), "fit", *flags, *device, *more]


def environment(block_seconds: float = 0.0) -> dict[str, str]:
    return os.environ | {"TOY_STREAM_BLOCK_SECONDS": str(block_seconds)}


def interrupted(run: Path, number: signal.Signals, after_step: int) -> subprocess.CompletedProcess[str]:
    """A slow run that gets a signal once its journal tells of `after_step`."""
    with subprocess.Popen(
        command(run), env=environment(0.05), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        deadline = time.monotonic() + PATIENCE
        while not any(line["step"] >= after_step for line in read_journal(run / "metrics.jsonl")):
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline, "the run did not come that far"
            time.sleep(0.02)
        process.send_signal(number)
        out, err = process.communicate(timeout=PATIENCE)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def finish(run: Path, *more: str) -> None:
    done = subprocess.run(
        command(run, *more), env=environment(), capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 0, done.stderr


def final_state(run: Path) -> dict[str, object]:
    return read_checkpoint(RunFolder(run).checkpoint(STEPS))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_ended_by_a_signal_and_resumed_equals_uninterrupted_bit_for_bit(tmp_path: Path, number: signal.Signals) -> None:
    ended = interrupted(tmp_path / "ended", number, after_step=8)
    assert RunFolder(tmp_path / "ended").newest_checkpoint() is not None
    if number == signal.SIGKILL:
        assert ended.returncode == -signal.SIGKILL
    else:
        assert ended.returncode == 130
        assert "--resume" in ended.stdout
        assert all(line.startswith(("step ", "learning from ")) for line in ended.stderr.splitlines())
    finish(tmp_path / "ended", "--resume")
    finish(tmp_path / "whole")
    one, other = final_state(tmp_path / "ended"), final_state(tmp_path / "whole")
    for part in ("state_dict", "optimizer_states", "lr_schedulers"):
        torch.testing.assert_close(one[part], other[part], rtol=0, atol=0)
    losses = [[line["loss"] for line in read_journal(tmp_path / name / "metrics.jsonl")] for name in ("ended", "whole")]
    assert losses[0] == losses[1]
    assert len(losses[0]) == STEPS


def test_a_killed_run_leaves_no_half_written_checkpoint_under_a_checkpoint_s_name(tmp_path: Path) -> None:
    run = tmp_path / "run"
    interrupted(run, signal.SIGKILL, after_step=6)
    for file in (run / "checkpoints").glob("*.ckpt"):
        assert read_checkpoint(file)["global_step"] > 0


def test_two_processes_take_turns_in_the_stream(tmp_path: Path) -> None:
    run = tmp_path / "run"
    finish(run, "--devices", "2", "--max_steps", "10")
    checkpoint = read_checkpoint(RunFolder(run).checkpoint(10))
    assert checkpoint["StreamData"]["cursor"]["next"] == 20
    assert checkpoint["StreamData"]["spent"]["pairs"] == 160
    assert [line["next_index"] for line in read_journal(run / "metrics.jsonl")] == list(range(2, 22, 2))
