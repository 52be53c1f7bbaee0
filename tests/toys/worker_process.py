"""A real worker process on ports of its choice, for tests that kill it."""

from __future__ import annotations

import signal
import subprocess
import sys
from types import TracebackType
from typing import Self


class WorkerProcess:
    """`synth-server serve`, ready; `kill` is SIGKILL, `stop` is SIGTERM and gives the exit code."""

    def __init__(self, port: int = 0, *flags: str) -> None:
        command = [sys.executable, "-m", "synth_server.cli", "serve", "--bind", f"tcp://127.0.0.1:{port}"]
        command += ["--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0", *flags]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addresses: dict[str, str] = {}
        assert self.process.stdout is not None
        for line in self.process.stdout:
            name, _, rest = line.strip().partition(" ")
            self.addresses[name] = rest.strip()
            if name == "ready":
                return
        raise AssertionError(f"the worker ended: {self.process.communicate()[1]}")

    @property
    def url(self) -> str:
        return self.addresses["pairs"]

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def pause(self) -> None:
        """SIGSTOP: its connections stay up, and nothing comes."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate(timeout=10)

    def stop(self) -> tuple[int, str, str]:
        """The exit code, what was left of stdout, and stderr."""
        self.process.send_signal(signal.SIGTERM)
        out, err = self.process.communicate(timeout=30)
        return self.process.returncode, out, err

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.kill()
