"""The demonstration's two processes, as context managers and calls that never wait without end."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from types import TracebackType
from typing import Self

from pairstream.errors import PairstreamError, WorkerUnavailableError

#: A first start compiles, on a busy machine for half a minute.
START_SECONDS, STOP_SECONDS = 180.0, 15.0


class Worker:
    """`synth-server serve` on loopback, on ports that were free; `url` is where the pairs are.

    Args:
        log: where its stderr goes.

    Raises:
        WorkerUnavailableError: it did not become ready; the message quotes its last line.
    """

    def __init__(self, log: Path) -> None:
        self.url = ""
        self._log = log
        command = [sys.executable, "-m", "synth_server.cli", "serve", "--bind", "tcp://127.0.0.1:0"]
        command += ["--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0"]
        with log.open("wb") as stderr:
            self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True)

    def __enter__(self) -> Self:
        lines: Queue[str] = Queue()
        Thread(target=self._read, args=(lines,), daemon=True).start()
        try:
            while not (line := lines.get(timeout=START_SECONDS)).startswith("ready"):
                if line.startswith("pairs"):
                    self.url = line.split()[1]
                elif not line:
                    raise WorkerUnavailableError(f"the worker ended before it was ready: {self._last_words()}")
        except BaseException as error:
            self._stop()
            if isinstance(error, Empty):
                raise WorkerUnavailableError(f"the worker was not ready after {START_SECONDS:.0f} s") from error
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def _read(self, lines: Queue[str]) -> None:
        assert self._process.stdout is not None, "it was opened with a pipe"
        for line in self._process.stdout:
            lines.put(line.strip() or " ")
        lines.put("")

    def _last_words(self) -> str:
        return (self._log.read_text().strip().splitlines() or ["it said nothing"])[-1]

    def _stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def trainer(*arguments: str) -> None:
    """Run a command of `trainer` in the foreground.

    Raises:
        PairstreamError: it failed, after saying why on stderr.
    """
    done = subprocess.run([sys.executable, "-m", "trainer.cli", *arguments], check=False)
    if done.returncode:
        raise PairstreamError(f"`trainer {arguments[0]}` ended with exit code {done.returncode}; see above")
