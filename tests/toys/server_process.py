"""A command of `synth-server` that serves until it is stopped, as a real process."""

from __future__ import annotations

import signal
import subprocess
import sys

from tests.toys.child_process import ChildProcess


class ServerProcess(ChildProcess):
    """`synth-server COMMAND ...`; `kill` is SIGKILL, `stop` is SIGTERM unless said, and gives the exit code."""

    def __init__(self, *command: str) -> None:
        words = [sys.executable, "-m", "synth_server.cli", *command]
        super().__init__(subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))

    def stop(self, with_signal: signal.Signals = signal.SIGTERM) -> tuple[int, str, str]:
        """The exit code, what was left of stdout, and stderr."""
        self.process.send_signal(with_signal)
        out, err = self.process.communicate(timeout=30)
        return self.process.returncode, out, err
