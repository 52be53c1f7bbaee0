"""One rank of a toy training as a process of its own, in step with the others by whoever starts them.

    python rank_process.py URL RANK WORLD STATE

It takes a batch for every line on stdin, and answers with the batch's bytes and the state after it, as JSON.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

BATCH_PAIRS = 8


class RankProcess:
    """The process, from the side of whoever starts it."""

    def __init__(self, url: str, rank: int, world: int, state: Mapping[str, Any]) -> None:
        command = [sys.executable, __file__, url, str(rank), str(world), json.dumps(dict(state))]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self) -> None:
        """Tell it to take its part of the next batch."""
        assert self.process.stdin is not None
        print(file=self.process.stdin, flush=True)

    def part(self) -> tuple[bytes, bytes, dict[str, Any]]:
        """The part's theta and audio, and the state after it."""
        assert self.process.stdout is not None
        answer = json.loads(self.process.stdout.readline())
        theta, audio = (base64.b64decode(answer[name]) for name in ("theta", "audio"))
        return theta, audio, answer["state"]

    def kill(self) -> None:
        """SIGKILL."""
        self.process.kill()
        self.process.communicate(timeout=10)


def main(url: str, rank: str, world: str, state: str) -> None:
    """In the rank's process."""
    from toy_source import TOY

    from pairstream.torch import PairStream

    stream = PairStream(url, TOY, batch_pairs=BATCH_PAIRS, rank=int(rank), world=int(world), timeout=30)
    stream.load_state_dict(json.loads(state))
    batches = iter(stream)
    for _ in sys.stdin:
        batch = next(batches)
        parts = {name: getattr(batch, name).numpy().tobytes() for name in ("theta", "audio")}
        said = {name: base64.b64encode(part).decode() for name, part in parts.items()}
        sys.stdout.write(json.dumps(said | {"state": stream.state_after(batch)}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
