"""Workers killed and stopped at random, and every experiment's bytes: is anything lost, repeated or changed?

python -m benchmarks.chaos [--seconds 60] [--wire zmq] [--seed 0] [--json]

Four worker processes with a toy source (256 KiB a block, 4 ms each). Five reading processes: one experiment that takes
blocks as fast as they come, one that takes 50 ms a step, one of two ranks that take 10 ms, and one that joins
when half of the time is over. Every two seconds a random worker is killed (SIGKILL) and started again on its port;
every three seconds another is stopped (SIGSTOP) for one second. In the end every stream is compared with blocks
rendered here, one after the other: the exit code is 1 if any byte or any index differs, and 0 otherwise, however long
the waits were. Those are printed: of every kill and every reader, the longest wait for a block in the two seconds
after it; and the same with the seconds in which a worker was stopped.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from benchmarks.fleet import PATIENCE, SPEC, Noise, Worker
from benchmarks.havoc import BLOCK_SECONDS, KILL_EVERY, STOPPED_FOR, Chaos, wreak
from benchmarks.witness import READERS, Taken, start, taken_by

WORKERS = 4


def run(seconds: float, wire: str, seed: int, console: Console, folder: Path) -> tuple[Chaos, dict[str, Taken]]:
    """The workers, the readers and what befalls them; what each reader got."""
    with ExitStack() as stack:
        fleet = [Worker(BLOCK_SECONDS) for _ in range(WORKERS)]
        stack.callback(lambda: [worker.kill() for worker in fleet])
        chaos = Chaos(fleet, random.Random(seed))
        stack.callback(chaos.resume)
        places = (worker.grpc if wire == "grpc" else f"127.0.0.1:{worker.port}" for worker in fleet)
        url = f"{wire}://{','.join(places)}"
        began = time.monotonic()
        readers = [start(url, reader, began, seconds, folder) for reader in READERS]
        stack.callback(lambda: [process.kill() for process in readers])
        with Progress(console=console) as progress:
            wreak(chaos, began, seconds, progress)
        for reader, process in zip(READERS, readers, strict=True):
            if process.wait(timeout=2 * PATIENCE):
                raise SystemExit(f"reader {reader.name} ended with exit code {process.returncode}; its reason is above")
    return chaos, {reader.name: taken_by(folder / reader.name) for reader in READERS}


def differences(streams: dict[str, Taken]) -> list[str]:
    """What is wrong with the streams, one line each: an index that is not next, or other bytes than the reference."""
    longest = max(taken.indices[-1] + 1 if taken.indices else 0 for taken in streams.values())
    source = Noise(SPEC)
    reference = [source.render(index).sha256() for index in range(longest)]
    wrong = []
    for reader in READERS:
        taken = streams[reader.name]
        expected = list(range(reader.rank, reader.rank + reader.world * len(taken.indices), reader.world))
        if not taken.indices:
            wrong.append(f"{reader.name} got nothing")
        elif taken.indices != expected:
            first = next(place for place, index in enumerate(expected) if taken.indices[place] != index)
            wrong.append(f"{reader.name} got block {taken.indices[first]} where {expected[first]} is next")
        elif _digest(taken.digests) != _digest([reference[index] for index in taken.indices]):
            wrong.append(f"{reader.name}: the bytes differ from the reference")
    return wrong


def _digest(digests: Sequence[str]) -> str:
    return sha256("".join(digests).encode()).hexdigest()


def longest_waits(moments: Sequence[float], streams: dict[str, Taken], until: float) -> list[float]:
    """Of every moment and every reader: the longest wait that reached into the `until` seconds after it."""
    waits = []
    for taken in streams.values():
        came, waited = np.array(taken.came), np.array(taken.waited)
        for moment in moments:
            touched = waited[(came >= moment) & (came - waited <= moment + until)]
            if came[0] < moment and touched.size:
                waits.append(float(touched.max()))
    return waits


def summary(waits: list[float]) -> dict[str, float]:
    """Median, 99th percentile and maximum, in seconds."""
    if not waits:
        return {"events": 0}
    middle, high = np.percentile(waits, [50, 99])
    return {"events": len(waits), "median_s": float(middle), "p99_s": float(high), "max_s": max(waits)}


def report(chaos: Chaos, streams: dict[str, Taken], wrong: list[str]) -> dict[str, object]:
    """All of it, as JSON would have it."""
    return {
        "kills": len(chaos.kills),
        "stops": len(chaos.stops),
        "blocks": {name: len(taken.indices) for name, taken in streams.items()},
        "sha256": {name: _digest(taken.digests) for name, taken in streams.items()},
        "wrong": wrong,
        "after_kill": summary(longest_waits(chaos.kills, streams, KILL_EVERY)),
        "after_stop": summary(longest_waits(chaos.stops, streams, STOPPED_FOR)),
    }


def show(console: Console, found: dict[str, object], streams: dict[str, Taken]) -> None:
    """The same as tables."""
    table = Table("reader", "blocks", "longest wait", "SHA-256 of the stream")
    for name, taken in streams.items():
        table.add_row(
            name, f"{len(taken.indices)}", f"{max(taken.waited[1:], default=0.0):.2f} s", _digest(taken.digests)[:16]
        )
    console.print(table)
    for name in ("after_kill", "after_stop"):
        values = found[name]
        assert isinstance(values, dict)
        words = ", ".join(f"{key.removesuffix('_s')} {value:.3f} s" for key, value in values.items() if key != "events")
        console.print(f"longest wait {name.replace('_', ' a ')}: {words} ({values['events']} events)")


def main() -> int:
    """Run it, and say what came of it; 1 if anything differed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long")
    parser.add_argument("--wire", default="zmq", choices=["zmq", "tcp", "shm", "grpc"], help="how the blocks travel")
    parser.add_argument("--seed", type=int, default=0, help="of the choice of workers")
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    console = Console(stderr=arguments.json)
    with tempfile.TemporaryDirectory() as folder:
        chaos, streams = run(arguments.seconds, arguments.wire, arguments.seed, console, Path(folder))
    wrong = differences(streams)
    found = report(chaos, streams, wrong)
    if arguments.json:
        print(json.dumps(found, indent=2))
    else:
        show(console, found, streams)
    for line in wrong:
        console.print(f"[red]{line}")
    if not wrong:
        console.print("every stream is the reference, byte for byte")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
