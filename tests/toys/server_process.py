"""A command of `synth-server` that serves until it is stopped, as a real process."""

from __future__ import annotations

import signal
import subprocess
import sys
from types import TracebackType
from typing import Self


class ServerProcess:
    """`synth-server COMMAND ...`; `kill` is SIGKILL, `stop` is SIGTERM unless said, and gives the exit code."""

    def __init__(self, *command: str) -> None:
        words = [sys.executable, "-m", "synth_server.cli", *command]
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate(timeout=10)

    def stop(self, with_signal: signal.Signals = signal.SIGTERM) -> tuple[int, str, str]:
        """The exit code, what was left of stdout, and stderr."""
        self.process.send_signal(with_signal)
        out, err = self.process.communicate(timeout=30)
        return self.process.returncode, out, err

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.kill()
