"""The trainer itself, with several processes: killed, and resumed with more and with fewer.

Lightning starts the processes of one machine, `torchrun` those of many. Every step saw the pairs it would have seen.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import recorded_training
from clips_folder import write_folder

from tests.toys.child_process import ChildProcess
from trainer.run_folder import RunFolder

pytestmark = pytest.mark.slow

STEPS = 12
PATIENCE = 120.0
SETTINGS = {
    "max_steps": STEPS,
    "width": 2,
    "spec.block_pairs": 8,
    "batch_pairs": 16,
    "held_out": 0,
    "checkpoint_every": 3,
    "threads": 1,
    "accelerator": "cpu",
}


class Training(ChildProcess):
    """`trainer fit` on a toy stream, in a process of its own, which may start others.

    Args:
        run: its folder.
        record: where every process writes down what it trained on.
        more: flags.
        ranks: processes that train. Lightning starts them, or `torchrun` does.
    """

    def __init__(
        self, run: Path, record: Path, *more: str, ranks: int = 1, torchrun: bool = False, block_seconds: float = 0.0
    ) -> None:
        record.mkdir(exist_ok=True)
        flags = [text for name, value in (SETTINGS | {"run": run}).items() for text in (f"--{name}", str(value))]
        launcher = (
            ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(ranks), "--"] if torchrun else []
        )
        script = [*launcher, recorded_training.__file__, "fit", *flags, "--devices", str(ranks), *more]
        surroundings = {"TOY_RECORD": str(record), "TOY_STREAM_BLOCK_SECONDS": str(block_seconds)}
        self._folder = RunFolder(run)
        super().__init__(
            subprocess.Popen(
                [sys.executable, *script],
                env=os.environ | surroundings | {"OMP_NUM_THREADS": "1"},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
            )
        )

    def finish(self) -> None:
        """Wait until it has."""
        _, err = self.process.communicate(timeout=PATIENCE)
        assert self.process.returncode == 0, err

    def kill_after_a_checkpoint(self) -> None:
        """SIGKILL to all of its processes, once it has written something to go on from."""
        before, deadline = self._folder.newest_checkpoint(), time.monotonic() + PATIENCE
        while self._folder.newest_checkpoint() == before:
            assert self.process.poll() is None, self.process.communicate()
            assert time.monotonic() < deadline, "the run did not come to a checkpoint"
            time.sleep(0.02)
        self.kill()

    def kill(self) -> None:
        """SIGKILL to all of its processes; harmless if it has ended."""
        for pid in [self.process.pid, *descendants(self.process.pid)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.communicate(timeout=self.patience)


def descendants(pid: int) -> list[int]:
    """The processes that this one has started, and those that they have; `torchrun` gives each a session of its own."""
    parents = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            parents[int(status.parent.name)] = int(status.read_text().rpartition(")")[2].split()[1])
    found = [pid]
    for parent in found:
        found += [child for child, its_parent in parents.items() if its_parent == parent]
    return found[1:]


def processes_in(record: Path) -> int:
    """How many processes have trained."""
    return len(list(record.glob("*.jsonl")))


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[int, list[str]]:
    """The pairs of every step of a training that nothing befalls."""
    folder = tmp_path_factory.mktemp("whole")
    with Training(folder / "run", folder / "record") as training:
        training.finish()
    batches = recorded_training.recorded(folder / "record")
    assert list(batches) == [*range(1, STEPS + 1)]
    return batches


@pytest.mark.timeout(300)
def test_killed_with_two_processes_and_resumed_with_one_every_step_sees_the_same_pairs(
    tmp_path: Path, expected: dict[int, list[str]]
) -> None:
    run, seen = tmp_path / "run", tmp_path / "seen"
    with Training(run, seen, ranks=2, block_seconds=0.3) as doomed:
        doomed.kill_after_a_checkpoint()
    assert processes_in(seen) == 2
    assert max(recorded_training.recorded(seen)) < STEPS, "they were killed before the end"
    with Training(run, seen, "--resume") as training:
        training.finish()
    assert recorded_training.recorded(seen) == expected


@pytest.mark.timeout(400)
def test_torchrun_killed_with_two_ranks_and_resumed_with_four_and_with_one(
    tmp_path: Path, expected: dict[int, list[str]]
) -> None:
    run, seen = tmp_path / "run", tmp_path / "seen"
    with Training(run, seen, ranks=2, torchrun=True, block_seconds=0.3) as doomed:
        doomed.kill_after_a_checkpoint()
    assert processes_in(seen) == 2
    with Training(run, seen, "--resume", ranks=4, torchrun=True, block_seconds=0.6) as doomed:
        doomed.kill_after_a_checkpoint()
    assert processes_in(seen) == 6
    assert max(recorded_training.recorded(seen)) < STEPS, "they were killed before the end"
    with Training(run, seen, "--resume") as training:
        training.finish()
    assert recorded_training.recorded(seen) == expected


@pytest.mark.timeout(300)
def test_what_is_mixed_pooled_and_changed_over_steps_is_the_same_for_one_process_and_for_two(tmp_path: Path) -> None:
    clips = write_folder(tmp_path / "clips")
    more = ["--data.recordings", str(clips), "--data.real", "0.4", "--data.pool", "5", "--data.deltas", "{6: 0.4}"]
    for ranks in (1, 2):
        with Training(tmp_path / f"run{ranks}", tmp_path / f"seen{ranks}", *more, ranks=ranks) as training:
            training.finish()
    one, two = (recorded_training.recorded(tmp_path / f"seen{ranks}") for ranks in (1, 2))
    assert list(one) == [*range(1, STEPS + 1)]
    assert one == two
