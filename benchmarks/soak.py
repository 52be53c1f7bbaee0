"""Does a worker's memory stay flat, whatever its clients do?

python -m benchmarks.soak [--blocks 36000] [--json]

One worker process with a toy source (256 KiB a block, no pause) and a window of 64 MiB. An hour at ten blocks a second
is 36,000 blocks; one client takes them as fast as it can. Beside it, for every hundred of them, three others come:

- one that asks for eight blocks, reads nothing, and goes without a word;
- one that asks for eight blocks and reads nothing for as long as it lives, until seven more of its kind have come;
- a real client that takes a few blocks and leaves in order.

Printed is the worker's resident memory (VmRSS), and by how much it grew from the second quarter of the run to the last,
which is the verdict: 1 is the exit code if that is more than 32 MiB. One block kept of each client that came and went
would be 135 MiB.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import deque
from itertools import islice

import numpy as np
import zmq
from rich.console import Console
from rich.progress import track

from benchmarks.fleet import PATIENCE, SPEC, Worker
from pairstream import connect
from pairstream.codec import encode
from pairstream.messages import Open, Want

HOUR = 36_000
#: Blocks of the steady client between two visits, blocks that a visitor asks for, and visitors that stay.
EVERY, ASKED, STAYING = 100, 8, 8
GROWTH_MIB, MIB = 32, 1 << 20


class Visitors:
    """Clients of one worker that do not behave."""

    def __init__(self, port: int) -> None:
        self._url = f"tcp://127.0.0.1:{port}"
        self._context = zmq.Context()
        self._staying: deque[zmq.Socket[bytes]] = deque()

    def come(self, index: int) -> None:
        """Three of them, who ask for blocks from `index` on."""
        self._ask(index).close(linger=0)
        self._staying.append(self._ask(index))
        if len(self._staying) > STAYING:
            self._staying.popleft().close(linger=0)
        with connect(self._url, SPEC, experiment="guest", timeout=PATIENCE) as client:
            list(islice(client.blocks(index), 3))

    def leave(self) -> None:
        """All of them."""
        self._context.destroy(linger=0)

    def _ask(self, index: int) -> zmq.Socket[bytes]:
        """A connection over which blocks were asked for, and nothing but the answer to OPEN was read."""
        socket = self._context.socket(zmq.DEALER)
        socket.setsockopt(zmq.RCVHWM, 1)
        socket.setsockopt(zmq.RCVTIMEO, round(PATIENCE * 1_000))
        socket.connect(self._url)
        socket.send_multipart(encode(Open(spec=SPEC.as_dict(), experiment="visitor")))
        socket.recv_multipart()
        wanted = tuple(range(index, index + ASKED))
        socket.send_multipart(encode(Want(digest=SPEC.digest, indices=wanted, experiment="visitor")))
        return socket


def soak(blocks: int, console: Console) -> list[int]:
    """The worker's resident memory in bytes, once for every visit."""
    resident = []
    with Worker(0.0) as worker:
        visitors = Visitors(worker.port)
        with connect(f"tcp://127.0.0.1:{worker.port}", SPEC, experiment="steady", timeout=PATIENCE) as client:
            stream = client.blocks()
            for begin in track(range(0, blocks, EVERY), console=console, description="blocks"):
                assert [block.index for block in islice(stream, EVERY)] == [*range(begin, begin + EVERY)]
                visitors.come(begin + EVERY // 2)
                resident.append(worker.resident_bytes())
        visitors.leave()
    return resident


def report(resident: list[int]) -> dict[str, float]:
    """Medians of the second and of the last quarter, the growth between, and the slope of the line through both."""
    memory = np.array(resident) / MIB
    quarter = len(memory) // 4
    before, after = np.median(memory[quarter : 2 * quarter]), np.median(memory[-quarter:])
    visits = np.arange(quarter, len(memory))
    slope = np.polyfit(visits * EVERY / HOUR, memory[quarter:], 1)[0]
    return {
        "blocks": len(memory) * EVERY,
        "clients": 3 * len(memory),
        "second_quarter_mib": float(before),
        "last_quarter_mib": float(after),
        "most_mib": float(memory.max()),
        "grown_mib": float(after - before),
        "slope_mib_per_hour": float(slope),
    }


def main() -> int:
    """Run it, and say what came of it; 1 if the memory grew."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--blocks", type=int, default=HOUR, help="how many the steady client takes")
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    if arguments.blocks < 8 * EVERY:
        parser.error(f"--blocks {arguments.blocks} is too short to see anything; use {8 * EVERY} or more")
    found = report(soak(arguments.blocks, Console(stderr=True)))
    if arguments.json:
        print(json.dumps(found, indent=2))
    else:
        for name, value in found.items():
            print(f"{name.replace('_', ' '):20} {value:10.1f}")
    return int(found["grown_mib"] > GROWTH_MIB)


if __name__ == "__main__":
    sys.exit(main())
