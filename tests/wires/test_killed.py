"""kill -9 of either end of shared memory, with real processes: nothing is left behind, and the other end goes on."""

from __future__ import annotations

import subprocess
import sys
import time
from itertools import islice
from pathlib import Path

import pytest
from worker_process import WorkerProcess

from pairstream import StreamSpec, connect

pytestmark = pytest.mark.slow

SPEC = StreamSpec(block_pairs=8, seconds=0.5)
CONSUMER = """
import sys
from pairstream import StreamSpec, connect
for block in connect(sys.argv[1], StreamSpec(block_pairs=8, seconds=0.5), experiment="doomed").blocks():
    print(block.index, flush=True)
"""


def shared_memories(pid: int) -> int:
    """How many memories of pairstream this process has mapped."""
    maps = Path(f"/proc/{pid}/maps").read_text()
    return sum("memfd:pairstream" in line for line in maps.splitlines())


def hashes(count: int) -> list[str]:
    with connect("local://", SPEC) as client:
        return [block.sha256() for block in client.blocks(stop=count)]


def wait_until_mapped(pid: int, count: int) -> None:
    deadline = time.monotonic() + 10
    while shared_memories(pid) != count:
        assert time.monotonic() < deadline, f"{shared_memories(pid)} memories are mapped, not {count}"


def test_a_client_that_is_killed_takes_its_memory_with_it():
    before = sorted(Path("/dev/shm").iterdir())
    with WorkerProcess() as worker:
        doomed = subprocess.Popen([sys.executable, "-c", CONSUMER, worker.url], stdout=subprocess.PIPE, text=True)
        assert doomed.stdout is not None
        assert list(islice(doomed.stdout, 5)) == [f"{index}\n" for index in range(5)]
        assert shared_memories(worker.process.pid) == 1
        doomed.kill()
        doomed.communicate(timeout=10)
        wait_until_mapped(worker.process.pid, 0)
        with connect(worker.url, SPEC, timeout=30) as client:
            assert [block.sha256() for block in client.blocks(stop=20)] == hashes(20)
        assert worker.stop()[0] == 0
    assert sorted(Path("/dev/shm").iterdir()) == before


def test_a_worker_that_is_killed_leaves_no_memory_and_no_gap():
    before = sorted(Path("/dev/shm").iterdir())
    first = WorkerProcess()
    with connect(first.url.replace("zmq", "shm"), SPEC, timeout=60, credit_bytes=4 * SPEC.audio_bytes) as client:
        stream = client.blocks()
        received = [block.sha256() for block in islice(stream, 20)]
        first.kill()
        with WorkerProcess(first.port) as second:
            received += [block.sha256() for block in islice(stream, 40)]
            assert shared_memories(second.process.pid) == 1
    assert received == hashes(60)
    assert sorted(Path("/dev/shm").iterdir()) == before
