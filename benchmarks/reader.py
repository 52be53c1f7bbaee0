"""An experiment in a process of its own, for the benchmarks that count its blocks while something else happens."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from types import MappingProxyType

from benchmarks.fleet import PATIENCE, SPEC
from pairstream import connect


def read(url: str, experiment: str, step: float) -> None:
    """In a reader's process: take blocks for ever, and say how many whenever a line comes on stdin."""
    taken = 0

    def answer() -> None:
        for _ in sys.stdin:
            print(taken, time.monotonic(), flush=True)

    with connect(url, SPEC, experiment=experiment, timeout=PATIENCE, credit_bytes=8 * SPEC.audio_bytes) as client:
        threading.Thread(target=answer, daemon=True).start()
        for _ in client.blocks():
            taken += 1
            time.sleep(step)


class Reader:
    """A process that reads a stream without end, a block in every `step` seconds at best.

    Args:
        environment: what it has in its environment beside ours, as keys.
    """

    def __init__(
        self, url: str, experiment: str, step: float, environment: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.reader", url, experiment, str(step)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | environment,
        )

    def progress(self) -> tuple[int, float]:
        """Blocks taken, and when."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print("?", file=self.process.stdin, flush=True)
        taken, when = self.process.stdout.readline().split()
        return int(taken), float(when)

    def rate(self, seconds: float) -> float:
        """Blocks per second over the next `seconds`."""
        taken, when = self.progress()
        time.sleep(seconds)
        later, until = self.progress()
        return (later - taken) / (until - when)


if __name__ == "__main__":
    read(sys.argv[1], sys.argv[2], float(sys.argv[3]))
