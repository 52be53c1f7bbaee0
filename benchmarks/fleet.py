"""Real processes for the benchmarks of many workers: workers with a source that costs little, and what reads them.

The worker is the real `Server`; only its source is a toy: noise from (spec, index), and a pause in the place of
the arithmetic, so that four workers and five clients fit on two cores. It is not `synth-server serve`, whose engine
takes seconds to load, too long to be killed every two seconds.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from functools import partial
from types import MappingProxyType

import numpy as np

from pairstream.block import PairBlock
from pairstream.messages import Layout
from pairstream.spec import StreamSpec
from tests.toys.child_process import ChildProcess

PARAMETERS = 5
#: Blocks of 256 KiB: 16 pairs of 0.128 s.
SPEC = StreamSpec(synth="toy", block_pairs=16, seconds=0.128)
#: Seconds that a process may take to come up, and to be gone.
PATIENCE = 30.0


class Noise:
    """The blocks of a stream, each after a pause of `seconds`; a pure function of (spec, index)."""

    fingerprint = "noise 1"

    def __init__(self, spec: StreamSpec, *, seconds: float = 0.0) -> None:
        self.layout = Layout(pairs=spec.block_pairs, parameters=PARAMETERS, samples=spec.samples, dtype=spec.dtype)
        self._spec = spec
        self._seconds = seconds

    def render(self, index: int) -> PairBlock:
        time.sleep(self._seconds)
        random = np.random.Generator(np.random.Philox(key=[self._spec.seed, index]))
        shape = (self._spec.block_pairs, 2)
        theta = random.random((*shape, PARAMETERS), np.float32)
        audio = random.random((*shape, self._spec.samples), np.float32)
        return PairBlock(index=index, digest=self._spec.digest, theta=theta, audio=audio.astype(self._spec.dtype))

    def close(self) -> None:
        return


class Worker(ChildProcess):
    """One worker process on a port of its choice, ready; after `kill` another can be started on the same port.

    Args:
        seconds: what a block costs.
        port: where it serves; 0 for any free one.
        grpc: where it serves over gRPC.
        window_mib: memory for rendered blocks.
        wait: return only when it is ready.
        locks: files of keys, as `ServeSettings` names them.
    """

    patience = PATIENCE

    def __init__(
        self,
        seconds: float,
        *,
        port: int = 0,
        grpc: str = "127.0.0.1:0",
        window_mib: int = 64,
        wait: bool = True,
        locks: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        flags = ["--port", str(port), "--grpc", grpc, "--block-seconds", str(seconds), "--window-mib", str(window_mib)]
        flags += ["--locks", json.dumps(dict(locks))]
        command = [sys.executable, "-m", "benchmarks.fleet", *flags]
        super().__init__(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        self.port, self.http, self.grpc = port, "", grpc
        if wait:
            assert self.process.stdout is not None
            places = json.loads(self.process.stdout.readline() or '{"port": 0, "http": "", "grpc": ""}')
            self.port, self.http, self.grpc = places["port"], places["http"], places["grpc"]
            if not self.port:
                raise SystemExit("a worker did not come up; what it said is above")

    def counted(self, metric: str) -> int:
        """A counter of the worker's metrics."""
        with urllib.request.urlopen(f"{self.http}/metrics", timeout=PATIENCE) as response:
            lines = response.read().decode().splitlines()
        return sum(int(float(line.split()[1])) for line in lines if line.startswith(f"{metric} "))

    def resident_bytes(self) -> int:
        """VmRSS."""
        with open(f"/proc/{self.process.pid}/status") as status:  # noqa: PTH123 – a file of the kernel
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS"))


def serve(port: int, grpc: str, seconds: float, window_mib: int, locks: Mapping[str, str]) -> None:
    """In the worker's process: serve until stdin ends, as it does when whoever started it is gone."""
    from pairstream import allocator  # noqa: PLC0415 – only the worker's process needs these
    from synth_server.config import ServeSettings  # noqa: PLC0415
    from synth_server.metrics import WorkerMetrics  # noqa: PLC0415
    from synth_server.server import Server  # noqa: PLC0415

    allocator.tune()
    settings = ServeSettings(
        bind=f"tcp://127.0.0.1:{port}",
        grpc=grpc,
        http="127.0.0.1:0",
        window_mib=window_mib,
        capacity=1_000,
        **locks,
    )
    with Server(settings, partial(Noise, seconds=seconds), WorkerMetrics()) as server:
        places = {"port": int(server.addresses.data.rpartition(":")[2]), "http": server.addresses.http}
        print(json.dumps(places | {"grpc": server.addresses.grpc}), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--grpc", default="127.0.0.1:0")
    parser.add_argument("--block-seconds", type=float, default=0.0)
    parser.add_argument("--window-mib", type=int, default=64)
    parser.add_argument("--locks", type=json.loads, default={})
    arguments = parser.parse_args()
    serve(arguments.port, arguments.grpc, arguments.block_seconds, arguments.window_mib, arguments.locks)
