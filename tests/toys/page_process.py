"""A real `synth-server listen` on a port of its choice, and a real browser to visit it."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from types import TracebackType
from typing import Self

#: Debian's, and what others call it.
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


class PageProcess:
    """The page, served; `stop` is SIGTERM and gives the exit code."""

    def __init__(self, *flags: str) -> None:
        command = [sys.executable, "-m", "synth_server.cli", "listen", "--http", "127.0.0.1:0", *flags]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        first = self.process.stdout.readline().split()
        if not first:
            raise AssertionError(f"the page's server ended: {self.process.communicate()[1]}")
        self.url = first[1].rstrip("/")

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
            self.process.kill()
            self.process.communicate(timeout=10)
