"""Sweeps of toy runs in real processes: what is trained, killed, resumed and skipped."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
import toy_sweep
from pitches import write_pitches

from pairstream.errors import ConfigError
from trainer.checkpoints import read_checkpoint
from trainer.journal import read_journal
from trainer.run_folder import RunFolder
from trainer.sweep import Swept, sweep
from trainer.sweep_settings import SweepSettings
from trainer.sweeps.experiment import plan_experiments
from trainer.sweeps.job import Job, Outcome, last_step

TOY = str(Path(toy_sweep.__file__))
PATIENCE = 150.0
STEPS = 20
TINY = ["width=2", "spec.block_pairs=4", "held_out=0", "log_every=1", "checkpoint_every=5", f"max_steps={STEPS}"]


def of_toys(to: Path, grid: list[str], **more: Any) -> Swept:
    said = [word.partition("=")[0] for word in grid]
    tiny = [word for word in TINY if word.partition("=")[0] not in said]
    settings = SweepSettings(to=to, grid=[*tiny, *grid], threads=1, accelerator="cpu", **more)
    return sweep(settings, program=toy_sweep.PROGRAM)


def command(to: Path, *more: str) -> list[str]:
    """The same as a command line of its own."""
    flags = ["--to", str(to), "--grid", *TINY, "seed=0,1", "--threads", "1", "--accelerator", "cpu", *more]
    return [sys.executable, TOY, "sweep", *flags]


def environment(block_seconds: float, **more: str) -> dict[str, str]:
    return os.environ | {"TOY_STREAM_BLOCK_SECONDS": str(block_seconds)} | more


def swept_to_the_end(to: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(to, *more), env=environment(0.0), capture_output=True, text=True, timeout=PATIENCE, check=False
    )


@contextmanager
def sweeping(to: Path) -> Iterator[subprocess.Popen[str]]:
    """A slow sweep in a process of its own; if the test fails it is ended, with its children."""
    with subprocess.Popen(
        command(to), env=environment(0.1), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.terminate()


def until(condition: Any, process: subprocess.Popen[str] | None = None) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert process is None or process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, "it did not come that far"
        time.sleep(0.05)


def steps(run: Path) -> int:
    return last_step(RunFolder(run).metrics)


def child_of(pid: int, run: str) -> int:
    """The process that trains it."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return next(int(child) for child in children if run in Path(f"/proc/{child}/cmdline").read_text())


def weights(run: Path) -> dict[str, torch.Tensor]:
    found: dict[str, torch.Tensor] = read_checkpoint(RunFolder(run).checkpoint(STEPS))["state_dict"]
    return found


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_every_run_is_trained_once_and_then_skipped(tmp_path: Path) -> None:
    swept = of_toys(tmp_path / "runs", ["seed=0,1"])
    assert sorted(one.name for one in swept.finished) == ["seed0", "seed1"]
    assert not swept.failed
    before = [(tmp_path / f"runs/seed{seed}/summary.json").stat().st_mtime_ns for seed in (0, 1)]
    again = of_toys(tmp_path / "runs", ["seed=0,1"])
    assert len(again.finished) == 2
    assert [(tmp_path / f"runs/seed{seed}/summary.json").stat().st_mtime_ns for seed in (0, 1)] == before


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_run_is_found_again_by_its_plan_when_the_grid_grows(tmp_path: Path) -> None:
    of_toys(tmp_path, ["seed=0"])
    swept = of_toys(tmp_path, ["seed=0", "spec.delta=0.1,0.2"])
    assert sorted(one.folder.path.name for one in swept.finished) == ["delta0.2", "run"]


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_what_fails_is_told_in_one_line_and_the_others_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOY_STREAM_ENDS_AT", "8")
    swept = of_toys(tmp_path, ["max_steps=6,20"])
    assert [one.name for one in swept.finished] == ["max_steps6"]
    (failed,) = swept.failed
    assert (failed.experiment.name, failed.code) == ("max_steps20", 3)
    assert failed.reason.startswith("trainer: error: ")
    assert "the toy stream ends at 8" in failed.reason


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_a_signal_ends_the_sweep_with_its_children_and_the_same_command_goes_on(
    tmp_path: Path, number: signal.Signals
) -> None:
    runs = [tmp_path / "ended" / f"seed{seed}" for seed in (0, 1)]
    with sweeping(tmp_path / "ended") as process:
        until(lambda: all(steps(run) >= 3 for run in runs), process)
        process.send_signal(number)
        out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, err
    assert "the same command again goes on" in out
    stood = [steps(run) for run in runs]
    assert all(RunFolder(run).newest_checkpoint() for run in runs)
    time.sleep(0.5)
    assert [steps(run) for run in runs] == stood, "a child lives on"
    done = swept_to_the_end(tmp_path / "ended")
    assert done.returncode == 0, done.stderr
    assert swept_to_the_end(tmp_path / "whole").returncode == 0
    for run in runs:
        torch.testing.assert_close(weights(run), weights(tmp_path / "whole" / run.name), rtol=0, atol=0)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_after_kill_9_the_next_sweep_does_what_the_killed_one_left_and_nothing_twice(tmp_path: Path) -> None:
    run = tmp_path / "runs" / "seed0"
    with sweeping(tmp_path / "runs") as process:
        until(lambda: steps(run) >= 2, process)
        process.kill()
    done = swept_to_the_end(tmp_path / "runs")
    assert done.returncode == 0, done.stderr
    for seed in (0, 1):
        journal = read_journal(RunFolder(tmp_path / "runs" / f"seed{seed}").metrics)
        assert [record["step"] for record in journal] == list(range(1, STEPS + 1)), "two processes wrote it"


def test_a_run_that_another_process_trains_is_waited_for(tmp_path: Path) -> None:
    (experiment,) = plan_experiments([{"preset": "demo"}], tmp_path, ["local://"])
    program = (sys.executable, "-c", "import sys; print('trainer: error: said', sys.argv[1]); sys.exit(4)")
    lock = os.open(tmp_path / ".run.lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(lock, fcntl.LOCK_EX)
    job = Job(experiment, program, threads=1, accelerator="cpu")
    assert job.poll() is None
    assert job.waits
    os.close(lock)
    outcomes: list[Outcome] = []
    until(lambda: [outcomes.append(one) for one in (job.poll(),) if one] or outcomes)
    assert (outcomes[0].code, outcomes[0].reason) == (4, "trainer: error: said fit")


def test_a_run_whose_log_was_deleted_is_a_failure_that_says_so(tmp_path: Path) -> None:
    (experiment,) = plan_experiments([{"preset": "demo"}], tmp_path, ["local://"])
    job = Job(experiment, (sys.executable, "-c", "import sys; sys.exit(4)"), threads=1, accelerator="cpu")
    assert job.poll() is None
    job.log.unlink()
    outcomes: list[Outcome] = []
    until(lambda: [outcomes.append(one) for one in (job.poll(),) if one] or outcomes)
    assert outcomes[0].code == 4
    assert "run.log" in outcomes[0].reason


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_run_that_is_killed_is_a_failure_and_is_resumed_by_the_same_command(tmp_path: Path) -> None:
    run = tmp_path / "runs" / "seed0"
    with sweeping(tmp_path / "runs") as process:
        until(lambda: steps(run) >= 6, process)
        os.kill(child_of(process.pid, "seed0"), signal.SIGKILL)
        out, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert "seed0: exit code -9: ended by SIGKILL" in out
    done = swept_to_the_end(tmp_path / "runs")
    assert done.returncode == 0
    assert steps(run) == STEPS


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_in_the_end_all_runs_are_probed_into_one_table(tmp_path: Path) -> None:
    pitches = write_pitches(tmp_path / "pitches")
    more = ["--data", str(pitches), "--probe", "knn", "--cache", str(tmp_path / "cache"), "--figures"]
    done = swept_to_the_end(tmp_path / "runs", *more)
    assert done.returncode == 0, done.stderr
    rows = {cell["row"] for cell in json.loads((tmp_path / "runs/probe.json").read_text())["cells"]}
    assert {"log-mel", "untrained, pooled", "trained, pooled"} <= rows
    assert "| trained, pooled |" in (tmp_path / "runs/probe.md").read_text()
    assert (tmp_path / "runs/figures/accuracy-knn.png").exists()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"grid": []}, "nothing to run"),
        ({"grid": ["seed=0"], "at_once": 0}, "at_once=0"),
        ({"grid": ["seed=0"], "patience": -1.0}, r"patience=-1\.0"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(tmp_path: Path, more: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        SweepSettings(to=tmp_path, **more)


def test_a_grid_that_cannot_be_leaves_no_folder(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="objective"):
        of_toys(tmp_path / "runs", ["objective=guess"])
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("journal", "step"),
    [
        ('{"step": 1}\n{"step": 7}\n', 7),
        ('{"step": 1}\n{"step": 7}\n{"ste', 7),
        ("", 0),
        ('{"step": 3, "filler": "' + "x" * 10_000 + '"}\n{"step": 4}\n', 4),
    ],
)
def test_where_a_run_is_its_journal_s_end_says(tmp_path: Path, journal: str, step: int) -> None:
    (tmp_path / "metrics.jsonl").write_text(journal)
    assert last_step(tmp_path / "metrics.jsonl") == step
    assert last_step(tmp_path / "none.jsonl") == 0
