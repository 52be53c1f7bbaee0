"""What happens in `little_cluster`: each scene is a process, run inside of `little_cluster.command`.

    python cluster_scenes.py SCENE FOLDER

It writes what it saw to FOLDER/seen.json, for a test to judge.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from little_cluster import PATIENCE, Dns, Pod, Secrets, client_environment, network
from manifests import container, everything, overlay

from pairstream import Client, StreamSpec, connect

WORKER = container(overlay("cpu"), "Deployment", "worker")
RELAY = container(everything(), "Deployment", "relay")
TRAINER = container(overlay("gpu"), "Job", "trainer")  # of two pods; on CPUs, by a flag
SPEC = StreamSpec(block_pairs=4, seconds=0.25)
STEPS = 10
#: Flags for a training that takes seconds.
SMALL = (
    *(
        "--accelerator=cpu",
        "--preset=cpu",
        "--width=2",
        "--spec.block-pairs=8",
        "--batch-pairs=16",
        "--held-out=0",
        "--threads=1",
    ),
    *(f"--max-steps={STEPS}", "--checkpoint-every=2", "--log-every=1"),
)


class Reader:
    """Reads a stream block by block, as fast as a training of small steps would."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self._blocks = client.blocks()
        self.hashes: list[str] = []

    def until(self, enough: Callable[[], bool]) -> None:
        """Read on until it is so."""
        deadline = time.monotonic() + PATIENCE
        while not enough():
            assert time.monotonic() < deadline, self.client.stats()
            block = next(self._blocks)
            assert block.index == len(self.hashes)
            self.hashes.append(block.sha256())
            time.sleep(0.03)

    def until_served_by(self, *pods: Pod) -> int:
        """Read on until just these serve and each has sent something, and a little more; gives the blocks read."""
        names = [f"zmq://{pod.address}:5555" for pod in pods]
        before = dict(self.client.stats().received)

        def enough() -> bool:
            stats = self.client.stats()
            came = [stats.received.get(name, 0) > before.get(name, 0) for name in names]
            return all(came) and stats.workers == len(pods)

        self.until(enough)
        little_more = len(self.hashes) + 20
        self.until(lambda: len(self.hashes) >= little_more)
        return little_more


def scale(folder: Path, dns: Dns) -> dict[str, Any]:
    """One worker, three, one, and another in its stead, while a client reads."""
    secrets = Secrets(folder)
    os.environ.update(client_environment(TRAINER, secrets))

    def worker(number: int) -> Pod:
        return Pod(WORKER, f"127.0.1.{number}", secrets, folder)

    first = worker(1).wait_until_ready()
    dns.serve("worker", first)
    with connect("dns+zmq://worker:5555", SPEC, timeout=60, credit_bytes=4 * SPEC.audio_bytes) as client:
        reader = Reader(client)
        read = [reader.until_served_by(first)]
        second, third = worker(2), worker(3)
        dns.serve("worker", first, second.wait_until_ready(), third.wait_until_ready())
        read.append(reader.until_served_by(first, second, third))
        dns.serve("worker", third)
        first.stop()
        second.stop()
        read.append(reader.until_served_by(third))
        third.kill()
        fourth = worker(4).wait_until_ready()
        dns.serve("worker", fourth)
        read.append(reader.until_served_by(fourth))
    fourth.stop()
    codes = [pod.code() for pod in (first, second, fourth)]
    return {"hashes": reader.hashes, "expected": _reference(len(reader.hashes)), "read": read, "codes": codes}


def relay(folder: Path, dns: Dns) -> dict[str, Any]:
    """A client reads through a relay, which finds its workers by name as the client finds it."""
    secrets = Secrets(folder)
    os.environ.update(client_environment(TRAINER, secrets))
    between = Pod(RELAY, "127.0.3.1", secrets, folder)
    worker = Pod(WORKER, "127.0.1.1", secrets, folder).wait_until_ready()
    dns.serve("worker", worker)  # which the relay waits for
    dns.serve("relay", between.wait_until_ready())
    with connect("dns+zmq://relay:5555", SPEC, timeout=60) as client:
        reader = Reader(client)
        reader.until_served_by(between)
    for pod in (between, worker):
        pod.stop()
    return {
        "hashes": reader.hashes,
        "expected": _reference(len(reader.hashes)),
        "codes": [between.code(), worker.code()],
    }


def _reference(blocks: int) -> list[str]:
    """What one process alone renders."""
    with connect("local://", SPEC) as client:
        return [block.sha256() for block in client.blocks(stop=blocks)]


def train(folder: Path, dns: Dns) -> dict[str, Any]:
    """A Job of two pods, whose names are known late; one is lost in the middle, and both begin again."""
    secrets = Secrets(folder)
    worker = Pod(WORKER, "127.0.1.1", secrets, folder).wait_until_ready()
    dns.serve("worker", worker)

    def pods() -> list[Pod]:
        return [Pod(TRAINER, f"127.0.2.{index + 1}", secrets, folder, *SMALL, index=index) for index in (0, 1)]

    lost = pods()
    dns.serve("trainer-0.trainer", lost[0])
    newest = _newest_checkpoint(folder)
    lost[1].kill()
    codes = [pod.code() for pod in lost]
    again = pods()
    finished = [pod.code() for pod in again]
    worker.stop()
    log = again[0].log.read_text()
    resumed_at = [int(step) for step in re.findall(r"step (\d+) of", log)][:1]
    return {"newest": newest, "codes": codes, "finished": finished, "resumed_at": resumed_at, "log": log}


def _newest_checkpoint(folder: Path) -> str:
    deadline = time.monotonic() + PATIENCE
    while not (found := sorted((folder / "first/checkpoints").glob("*.ckpt"))):
        assert time.monotonic() < deadline, [path.read_text() for path in folder.glob("trainer-*.log")]
        time.sleep(0.05)
    return found[-1].name


def main(scene: str, folder: str) -> None:
    """Play one of the scenes."""
    with network(Path(folder)) as dns:
        seen = {"scale": scale, "relay": relay, "train": train}[scene](Path(folder), dns)
    (Path(folder) / "seen.json").write_text(json.dumps(seen | {"asked": dns.asked}))


if __name__ == "__main__":
    main(*sys.argv[1:])
