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
#: Of this stream many blocks are asked for ahead, and each may have much of theta.
AHEAD = StreamSpec(block_pairs=256, seconds=0.02)
BUSY_CONSUMER = """
import sys
from itertools import islice
from pairstream import StreamSpec, connect
for block in islice(connect(sys.argv[1], StreamSpec(block_pairs=256, seconds=0.02), timeout=60).blocks(), 10):
    print(block.sha256(), flush=True)
    sys.stdin.readline()
"""
HEARTBEATS = 2.5
HANGS_UP_AFTER = 6.0


def shared_memories(pid: int) -> int:
    """How many memories of pairstream this process has mapped."""
    maps = Path(f"/proc/{pid}/maps").read_text()
    return sum("memfd:pairstream" in line for line in maps.splitlines())


def hashes(count: int, spec: StreamSpec = SPEC) -> list[str]:
    with connect("local://", spec) as client:
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


@pytest.mark.parametrize("wire", ["zmq", "tcp"])
def test_a_worker_that_is_killed_while_its_consumer_is_busy_does_not_take_it_along(wire: str):
    """libzmq would abort the consumer's process, if it had stopped to read from this worker."""
    first = WorkerProcess()
    command = [sys.executable, "-c", BUSY_CONSUMER, first.url.replace("zmq", wire)]
    consumer = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert consumer.stdout is not None
    received = consumer.stdout.readline().split()
    time.sleep(2)  # all that it has asked for comes
    first.kill()
    time.sleep(HEARTBEATS)
    with WorkerProcess(first.port):
        said, _ = consumer.communicate("\n" * 10, timeout=60)
    assert consumer.returncode == 0
    assert received + said.split() == hashes(10, AHEAD)


def test_a_consumer_that_is_busy_for_longer_than_heartbeats_may_fail_keeps_its_worker():
    with WorkerProcess() as worker, connect(worker.url, AHEAD, timeout=60) as client:
        for block in islice(client.blocks(), 50):
            if block.index == 1:
                time.sleep(HANGS_UP_AFTER + 2)
        assert client.stats().reasks == 0
