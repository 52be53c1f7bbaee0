"""A process that was started here and is not left behind, however the block that holds it ends."""

from __future__ import annotations

import signal
import subprocess
from types import TracebackType
from typing import Self


class ChildProcess:
    """Killed at the end of a `with` block, if it still runs then."""

    #: Seconds that it may take to be gone.
    patience = 10.0

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def pause(self) -> None:
        """SIGSTOP: its connections stay up, and nothing comes."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """SIGKILL."""
        self.process.kill()
        self.process.communicate(timeout=self.patience)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.kill()
