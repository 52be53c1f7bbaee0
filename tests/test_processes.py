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
import torch
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
    said = [line for line in err.splitlines() if "synth_server.kept" not in line]  # a first start compiles, and says so
    assert (code, out.split(), said) == (0, ["draining", "stopped"], [])


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


def test_a_worker_that_is_stopped_and_goes_on_leaves_no_trace_in_the_stream():
    expected = local_hashes(SPEC, 240)
    with WorkerProcess() as first, WorkerProcess() as second:
        url = f"{first.url},127.0.0.1:{second.port}"
        with connect(url, SPEC, timeout=30, credit_bytes=8 * SPEC.audio_bytes) as client:
            stream = client.blocks()
            received = [block.sha256() for block in islice(stream, 100)]
            first.pause()
            received += [block.sha256() for block in islice(stream, 70)]
            assert client.stats().hedges > 0
            first.resume()
            received += [block.sha256() for block in islice(stream, 70)]
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
    deadline = time.monotonic() + 60
    while True:
        assert time.monotonic() < deadline, "the worker did not serve that many"
        with urllib.request.urlopen(worker.addresses["http"] + "/metrics", timeout=5) as response:
            lines = response.read().decode().splitlines()
        if any(line.startswith(served) and float(line.split()[1]) >= blocks for line in lines):
            return
        time.sleep(0.1)


def test_trainer_and_worker_killed_and_started_again_learn_the_same_to_the_bit(tmp_path: Path):
    steps = ["--max-steps", "40", "--width", "2", "--spec.block-pairs", "8", "--held-out", "0"]
    flags = [*steps, "--checkpoint-every", "2", "--log-every", "1", "--accelerator", "cpu", "--threads", "1"]
    fit = [sys.executable, "-m", "trainer.cli", "fit", *flags, "--run"]
    subprocess.run(
        [*fit, str(tmp_path / "whole"), "--stream", "local://"], check=True, capture_output=True, timeout=120
    )
    with WorkerProcess() as first:
        doomed = subprocess.Popen([*fit, str(tmp_path / "killed"), "--stream", first.url], stderr=subprocess.DEVNULL)
        _wait_for_checkpoints(tmp_path / "killed", 3)
        doomed.kill()
        doomed.wait(timeout=10)
        first.kill()
    with WorkerProcess() as second:
        again = [*fit, str(tmp_path / "killed"), "--stream", second.url, "--resume"]
        done = subprocess.run(again, check=True, capture_output=True, text=True, timeout=120)
    assert "40 steps, 320 pairs" in done.stdout
    whole, killed = (_weights(tmp_path / name) for name in ("whole", "killed"))
    assert whole.keys() == killed.keys()
    assert all(torch.equal(whole[name], killed[name]) for name in whole)


def _wait_for_checkpoints(run: Path, count: int) -> None:
    deadline = time.monotonic() + 60
    while len(list(run.glob("checkpoints/*.ckpt"))) < count:
        assert time.monotonic() < deadline, "the run did not come that far"
        time.sleep(0.05)


def _weights(run: Path) -> dict[str, torch.Tensor]:
    state: dict[str, torch.Tensor] = torch.load(run / "checkpoints/step-00000040.ckpt", weights_only=True)["state_dict"]
    return state
