"""Worker and client as real processes: the same bytes, and what happens when one of them is killed."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
import urllib.request
from itertools import islice
from pathlib import Path

import pytest
from worker_process import WorkerProcess

from pairstream import StreamSpec, connect
from pairstream.errors import WorkerUnavailableError

pytestmark = pytest.mark.slow

SPEC = StreamSpec(block_pairs=8, seconds=0.5)


def local_hashes(spec: StreamSpec, count: int) -> list[str]:
    with connect("local://", spec) as client:
        return [block.sha256() for block in client.blocks(stop=count)]


def test_a_worker_says_where_it_listens_and_stops_when_told():
    with WorkerProcess() as worker:
        assert set(worker.addresses) == {"pairs", "grpc", "http", "ready"}
        with urllib.request.urlopen(worker.addresses["http"] + "/healthz", timeout=5) as response:
            assert response.read() == b"ready\n"
        code, out, err = worker.stop()
    assert (code, out.split(), err) == (0, ["draining", "stopped"], "")


@pytest.mark.parametrize("synth", ["voice", "voice-fm", "parametric"])
@pytest.mark.parametrize("threads", ["1", "2"])
def test_another_process_gives_the_same_bytes_with_any_number_of_threads(synth: str, threads: str):
    spec = StreamSpec(synth=synth, block_pairs=40)
    expected = local_hashes(spec, 2)
    with WorkerProcess(0, "--threads", threads) as worker, connect(worker.url, spec) as client:
        assert [block.sha256() for block in client.blocks(stop=2)] == expected


def test_a_worker_killed_and_started_again_leaves_no_trace_in_the_stream():
    expected = local_hashes(SPEC, 60)
    first = WorkerProcess()
    with connect(first.url, SPEC, timeout=60, credit_bytes=4 * SPEC.audio_bytes) as client:
        stream = client.blocks()
        received = [block.sha256() for block in islice(stream, 20)]
        first.kill()
        with WorkerProcess(first.port):
            received += [block.sha256() for block in islice(stream, 40)]
    assert received == expected


def test_with_two_workers_the_death_of_one_is_hardly_felt():
    expected = local_hashes(SPEC, 60)
    with (
        WorkerProcess() as first,
        WorkerProcess() as second,
        connect(f"{first.url},127.0.0.1:{second.port}", SPEC, timeout=30) as client,
    ):
        stream = client.blocks()
        received = [block.sha256() for block in islice(stream, 20)]
        first.kill()
        received += [block.sha256() for block in islice(stream, 40)]
    assert received == expected


def test_a_client_that_is_killed_costs_the_worker_nothing():
    script = "import sys; from pairstream import *; spec = StreamSpec(block_pairs=8, seconds=0.5)\n"
    script += "for block in connect(sys.argv[1], spec, experiment='doomed').blocks(): print(block.index, flush=True)"
    with WorkerProcess() as worker:
        doomed = subprocess.Popen([sys.executable, "-c", script, worker.url], stdout=subprocess.PIPE, text=True)
        assert doomed.stdout is not None
        assert list(islice(doomed.stdout, 5)) == [f"{index}\n" for index in range(5)]
        doomed.kill()
        doomed.communicate(timeout=10)
        with connect(worker.url, SPEC, timeout=30) as client:
            assert [block.index for block in client.blocks(stop=20)] == list(range(20))
        assert worker.stop()[0] == 0


def test_a_worker_that_stays_dead_ends_the_trainer_with_one_line(tmp_path: Path):
    with WorkerProcess() as worker:
        command = [sys.executable, "-m", "trainer.cli", "fit", "--preset", "demo", "--stream", worker.url]
        command += ["--run", str(tmp_path / "run"), "--timeout", "3", "--held_out", "0"]
        fit = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        threading.Thread(target=lambda: (_wait_for_blocks(worker), worker.kill()), daemon=True).start()
        _, err = fit.communicate(timeout=120)
    assert fit.returncode == WorkerUnavailableError.exit_code
    last = err.strip().splitlines()[-1]
    assert last.startswith("trainer: error: waited 3.")
    assert worker.url in last
    assert "Traceback" not in err


def _wait_for_blocks(worker: WorkerProcess, blocks: int = 5) -> None:
    served = "pairstream_worker_blocks_served_total"
    while True:
        with urllib.request.urlopen(worker.addresses["http"] + "/metrics", timeout=5) as response:
            lines = response.read().decode().splitlines()
        if any(line.startswith(served) and float(line.split()[1]) >= blocks for line in lines):
            return
        time.sleep(0.1)
