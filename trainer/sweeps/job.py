"""Job: one experiment in a process of its own, `trainer fit`, and the lock that lets no second process train it.

The process holds the lock as long as it lives, even if the sweep that started it is killed: the next sweep then
waits for it to end, instead of writing into the same folder.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from trainer.sweeps.experiment import Experiment

#: Bytes at the end of a journal in which its last record lies.
TAIL = 8_192


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a run ended."""

    experiment: Experiment
    code: int
    """0: all steps are done. Negative: the signal that ended it."""
    reason: str
    """One line; empty if it is finished."""


class Job:
    """A running experiment; what it says goes to the file `log`.

    Args:
        experiment: what to train.
        program: the command whose first argument is `fit`.
        threads: of its arithmetic.
        accelerator: auto, cpu or gpu.
    """

    def __init__(self, experiment: Experiment, program: Sequence[str], threads: int, accelerator: str) -> None:
        self.experiment = experiment
        self._command = [*program, "fit", f"--run={experiment.folder.path}", *experiment.flags, "--resume_or_start"]
        self._command += [f"--stream={experiment.stream}", f"--experiment={experiment.name}", "--quiet"]
        self._command += [f"--threads={threads}", f"--accelerator={accelerator}"]
        folder = experiment.folder.path
        self.log = folder.with_name(f"{folder.name}.log")
        self._lock = os.open(folder.with_name(f".{folder.name}.lock"), os.O_RDWR | os.O_CREAT, 0o644)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def waits(self) -> bool:
        """Whether another process, left by an earlier sweep, trains it still."""
        return self._process is None

    @property
    def step(self) -> int:
        """Of the last record in its journal."""
        return last_step(self.experiment.folder.metrics)

    def poll(self) -> Outcome | None:
        """Start it if it is not started and can be; how it ended, or None while it has not."""
        if self._process is None:
            self._start_if_free()
            return None
        code = self._process.poll()
        if code is None:
            return None
        self.close()
        reason = "" if self.experiment.finished else self._reason(code)
        return Outcome(experiment=self.experiment, code=0 if self.experiment.finished else code or 1, reason=reason)

    def terminate(self) -> None:
        """Ask it to write a checkpoint and end; idempotent."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def close(self) -> None:
        """Give up our hold on the lock; a process that lives has its own."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _start_if_free(self) -> None:
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        with self.log.open("ab") as log:
            # In a session of its own, so that Ctrl-C reaches it through the sweep only, and once.
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[self._lock],
                start_new_session=True,
            )

    def _reason(self, code: int) -> str:
        if code < 0:
            return f"ended by {signal.Signals(-code).name}; see {self.log}"
        try:
            text = self.log.read_text(errors="replace")
        except OSError as error:  # somebody tidied up under a sweep
            return f"ended with exit code {code}; why, its log cannot say: {error}"
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        errors = [line for line in lines if "error: " in line]
        return (errors or lines or ["it said nothing"])[-1]


def last_step(journal: Path) -> int:
    """The step of a journal's last whole record, without reading all of it; 0 if there is none."""
    try:
        with journal.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL))
            lines = file.read().splitlines()
    except OSError:
        return 0
    for line in reversed(lines):
        try:
            return int(json.loads(line)["step"])
        except (ValueError, KeyError, TypeError):  # torn, at either end
            continue
    return 0
