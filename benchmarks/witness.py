"""Processes that read a stream under `benchmarks.chaos`, and write down what they got, and when.

python -m benchmarks.witness URL READER BEGIN END FILE, which `start` runs: a reader as JSON, two times of the monotonic
clock, and where it writes.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import count
from pathlib import Path

from benchmarks.fleet import PATIENCE, SPEC
from pairstream import connect


@dataclass(frozen=True)
class Reader:
    """One process that reads: rank `rank` of `world` of an experiment, and the seconds of its step."""

    name: str
    step: float
    rank: int = 0
    world: int = 1
    joins: float = 0.0
    """After which share of the time."""


READERS = (
    Reader("fast", 0.0),
    Reader("slow", 0.05),
    Reader("rank-0", 0.01, 0, 2),
    Reader("rank-1", 0.01, 1, 2),
    Reader("late", 0.0, joins=0.5),
)


@dataclass
class Taken:
    """What a reader got: of each block its index, its SHA-256, when it came and how long it was waited for."""

    indices: list[int] = field(default_factory=list)
    digests: list[str] = field(default_factory=list)
    came: list[float] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)


def read(url: str, reader: Reader, until: float) -> Iterator[str]:
    """In a reader's process: a line for every block, until the time `until` of the monotonic clock."""
    experiment = reader.name.partition("-")[0]
    credit = 8 * SPEC.audio_bytes
    with connect(url, SPEC, experiment=experiment, timeout=PATIENCE, credit_bytes=credit) as client:
        asked = time.monotonic()
        for block in client.follow(count(reader.rank, reader.world)):
            came = time.monotonic()
            yield f"{block.index} {block.sha256()} {came:.6f} {came - asked:.6f}\n"
            if came >= until:
                return
            time.sleep(reader.step)
            asked = time.monotonic()


def start(url: str, reader: Reader, began: float, seconds: float, folder: Path) -> subprocess.Popen[bytes]:
    """A process that reads from `began`, or later if it joins later, for what is left of `seconds`."""
    told = json.dumps(asdict(reader))
    times = [str(began + reader.joins * seconds), str(began + seconds)]
    command = [sys.executable, "-m", "benchmarks.witness", url, told, *times, str(folder / reader.name)]
    return subprocess.Popen(command)


def taken_by(file: Path) -> Taken:
    """What a reader wrote down."""
    taken = Taken()
    for line in file.read_text().splitlines():
        index, digest, came, waited = line.split()
        taken.indices.append(int(index))
        taken.digests.append(digest)
        taken.came.append(float(came))
        taken.waited.append(float(waited))
    return taken


def main(url: str, reader: str, begin: str, until: str, file: str) -> None:
    """Wait, read, and write down."""
    time.sleep(max(0.0, float(begin) - time.monotonic()))
    with Path(file).open("w") as lines:
        lines.writelines(read(url, Reader(**json.loads(reader)), float(until)))


if __name__ == "__main__":
    main(*sys.argv[1:])
