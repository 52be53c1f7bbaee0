"""Every wire beside a raw TCP socket: from a worker's window to a torch tensor in another process.

python -m benchmarks.wire [--mb 8] [--seconds 1.0] [--rounds 7] [--copy] [--json]

The worker is a real `Server` in a process of its own, with blocks that are rendered already. The raw socket is
the fastest that Python has, `sendall` of a buffer there and `recv_into` a buffer here, and sends as many different
blocks as the worker has. `bare` is what grpcio does with the same bytes in the same messages while nobody looks at
them: the most that grpc can have. All take turns in one run; what is printed are medians of the rounds. `--copy` also
copies every tensor once, as to memory that a GPU reads.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import numpy as np
import torch

from benchmarks.bare_grpc import bare_client, bare_server
from pairstream import StreamSpec, allocator, connect, sendable
from pairstream.block import PairBlock
from pairstream.messages import Layout
from synth_server.config import ServeSettings
from synth_server.metrics import WorkerMetrics
from synth_server.server import Server

PARAMETERS = 78
#: Blocks that the worker holds: more than any client asks for at once.
HELD = 16
WIRES = ("raw", "tcp", "ipc", "shm", "grpc", "bare")
#: A stream that never ends: hands out one tensor after the other.
Tensors = Iterator[torch.Tensor]


class Held:
    """A source whose blocks are made once, so that only their way is measured."""

    fingerprint = "held"

    def __init__(self, spec: StreamSpec) -> None:
        self.layout = Layout(pairs=spec.block_pairs, parameters=PARAMETERS, samples=spec.samples, dtype=spec.dtype)
        theta = np.zeros((spec.block_pairs, 2, PARAMETERS), np.float32)
        self._blocks = [
            PairBlock(index=index, digest=spec.digest, theta=theta, audio=self._audio(spec, index))
            for index in range(HELD)
        ]

    @staticmethod
    def _audio(spec: StreamSpec, index: int) -> np.ndarray:
        audio = sendable.empty((spec.block_pairs, 2, spec.samples), spec.dtype)  # as the engines do
        audio.fill(index)
        return audio

    def render(self, index: int) -> PairBlock:
        block = self._blocks[index % HELD]
        return PairBlock(index=index, digest=block.digest, theta=block.theta, audio=block.audio)

    def close(self) -> None:
        return


def spec_of(megabytes: int) -> StreamSpec:
    """Blocks of about so many megabytes of audio: pairs of one second."""
    return StreamSpec(block_pairs=max(1, round(megabytes * 1e6 / 128_000)))


def serve(folder: str, megabytes: int) -> None:
    """In the other process: a worker, a raw socket and a bare gRPC server that send as much; until stdin ends."""
    allocator.tune()
    binds = f"tcp://127.0.0.1:0,ipc://{folder}/worker.sock"
    settings = ServeSettings(bind=binds, grpc="127.0.0.1:0", http="127.0.0.1:0", window_mib=2_048)
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        Server(settings, Held, WorkerMetrics()) as server,
        bare_server(spec_of(megabytes).audio_bytes, HELD) as bare,
    ):
        place = server.addresses.data.removeprefix("zmq://")
        ours = (f"tcp://{place}", f"ipc://{folder}/worker.sock", f"shm://{place}", f"grpc://{server.addresses.grpc}")
        places = (str(listener.getsockname()[1]), *ours, str(bare))
        print(json.dumps(dict(zip(WIRES, places, strict=True))), flush=True)
        for line in sys.stdin:
            held = itertools.cycle([np.full(int(line), number, np.uint8) for number in range(HELD)])
            connection, _ = listener.accept()
            with connection, contextlib.suppress(ConnectionError):
                while connection.recv(1):
                    connection.sendall(next(held))


@contextmanager
def worker(folder: str, megabytes: int) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    """The other process, and the URL of each wire."""
    command = [sys.executable, "-m", "benchmarks.wire", "--serve", folder, "--mb", str(megabytes)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            yield process, json.loads(process.stdout.readline())
        finally:
            process.stdin.close()
            process.wait(timeout=30)


@contextmanager
def raw(process: subprocess.Popen[str], port: str, nbytes: int) -> Iterator[Tensors]:
    """What a plain socket can do, when four blocks are asked for ahead."""
    assert process.stdin is not None
    print(nbytes, file=process.stdin, flush=True)
    with socket.create_connection(("127.0.0.1", int(port))) as connection:
        buffers = [np.empty(nbytes, np.uint8) for _ in range(2)]

        def tensors() -> Tensors:
            connection.sendall(b"!!!!")
            for turn in itertools.count():
                view, got = memoryview(buffers[turn % 2]), 0
                while got < nbytes:
                    got += connection.recv_into(view[got:])
                connection.sendall(b"!")
                yield torch.from_numpy(buffers[turn % 2])

        yield tensors()


@contextmanager
def streamed(url: str, spec: StreamSpec) -> Iterator[Tensors]:
    """What a client gets."""
    with connect(url, spec, experiment="bench") as client:
        yield (torch.from_numpy(block.audio) for block in client.follow(index % HELD for index in itertools.count()))


def opened(name: str, place: str, spec: StreamSpec, process: subprocess.Popen[str]) -> AbstractContextManager[Tensors]:
    """The stream of that wire."""
    if name == "raw":
        return raw(process, place, spec.audio_bytes)
    return bare_client(place, spec.audio_bytes) if name == "bare" else streamed(place, spec)


def measure(tensors: Tensors, seconds: float, *, copy: bool) -> float:
    """Bytes per second over about so many seconds; the first blocks are not counted."""
    for _ in range(HELD):
        scratch = torch.empty_like(next(tensors))
    nbytes, began = 0, time.perf_counter()
    while (spent := time.perf_counter() - began) < seconds:
        tensor = next(tensors)
        nbytes += tensor.nbytes
        if copy:
            scratch.copy_(tensor)
    return nbytes / spent


def race(megabytes: int, seconds: float, rounds: int, *, copy: bool, only: list[str]) -> dict[str, float]:
    """Bytes per second of every wire, the median of rounds in turn."""
    spec = spec_of(megabytes)
    rates: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder, worker(folder, megabytes) as (process, places):
        for _, name in itertools.product(range(rounds), [name for name in places if name in only]):
            with opened(name, places[name], spec, process) as tensors:
                rates.setdefault(name, []).append(measure(tensors, seconds, copy=copy))
    return {name: statistics.median(values) for name, values in rates.items()}


def main() -> None:
    """Measure, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mb", type=int, default=8, help="megabytes of audio in a block")
    parser.add_argument("--seconds", type=float, default=1.0, help="of each turn")
    parser.add_argument("--rounds", type=int, default=7, help="turns of each wire")
    parser.add_argument("--only", nargs="*", default=[*WIRES], help="wires, of: %(default)s")
    parser.add_argument("--copy", action="store_true", help="copy every tensor once")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        serve(arguments.serve, arguments.mb)
        return
    torch.set_num_threads(1)
    rates = race(arguments.mb, arguments.seconds, arguments.rounds, copy=arguments.copy, only=arguments.only)
    rows = {name: {"gb_per_s": rate / 1e9, "ratio": rate / rates["raw"]} for name, rate in rates.items()}
    if arguments.json:
        print(json.dumps({"mb": arguments.mb, "copy": arguments.copy, "wires": rows}, indent=2))
        return
    print(f"blocks of {arguments.mb} MB{', each copied once' if arguments.copy else ''}")
    for name, row in rows.items():
        print(f"  {name:5} {row['gb_per_s']:6.2f} GB/s  {row['ratio']:5.2f} of raw")


if __name__ == "__main__":
    main()
