"""What attackers do to an honest client's pace: its blocks per second with and without them, in turn.

python -m benchmarks.fire [--pairs 10] [--seconds 1] [--step-ms 4] [--connections 20] [--messages 2000] [--json]

A worker process with a toy source (256 KiB a block) and locks on both doors, another without; an honest client of each
door, in a process of its own, that takes a block every `--step-ms`; and attackers in another process, which runs for
every other period and is stopped (SIGSTOP) in between:

    keys          handshakes with CURVE keys that nobody knows, `--connections` of them a second
    certificates  TLS handshakes with a certificate that has expired, as many
    lengths       connections that announce a frame of 4 GB, as many
    garbage       messages that cannot be read, `--messages` of them a second, of a client that was let in

The ratio is that of the medians. What the attackers take of the processors themselves is part of it.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.fleet import Worker
from benchmarks.reader import Reader

BLOCK_SECONDS = 0.001


@dataclass(frozen=True)
class Scene:
    """One kind of attack, and who suffers it."""

    attack: str
    url: str
    rate: float
    locks: dict[str, str] = field(default_factory=dict)
    """What the honest client has in its environment."""


def main() -> None:
    """Measure, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=10, help="periods with and without")
    parser.add_argument("--seconds", type=float, default=1.0, help="of a period")
    parser.add_argument("--step-ms", type=float, default=4.0, help="the step of the honest client")
    parser.add_argument("--connections", type=float, default=20.0, help="a second, of attackers that are not let in")
    parser.add_argument("--messages", type=float, default=2_000.0, help="a second, of the one that was let in")
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        make_keys(Path(folder))
        found = [
            measure(scene, Path(folder), arguments.pairs, arguments.seconds, arguments.step_ms / 1_000)
            for scene in scenes(Path(folder), stack, arguments.connections, arguments.messages)
        ]
    if arguments.json:
        print(json.dumps(found, indent=2))
        return
    table = Table("attack", "attacks a second", "honest blocks/s without", "with", "ratio")
    for row in found:
        rates = (f"{row[name]:.1f}" for name in ("attacks_per_s", "without_per_s", "with_per_s"))
        table.add_row(row["attack"], *rates, f"{row['ratio']:.3f}")
    Console().print(table)


def make_keys(folder: Path) -> None:
    """Keys and certificates for an honest client, and a certificate that expired a day ago."""
    from synth_server.certificates import Authority, Signed  # noqa: PLC0415 – needs an extra
    from synth_server.cli import main as synth_server  # noqa: PLC0415

    with contextlib.redirect_stdout(None):
        synth_server(["keys", "curve", str(folder / "curve"), "--clients", "alice"])
        synth_server(["keys", "tls", str(folder / "tls"), "--hosts", "127.0.0.1", "--clients", "alice"])
    pem, key = folder / "tls/ca.pem", folder / "tls/ca.key"
    authority = Authority.read(Signed(cert=pem.read_bytes(), key=key.read_bytes()))
    old = authority.client("eve", datetime.now(UTC) - timedelta(days=11), 10)
    (folder / "eve.pem").write_bytes(old.cert + old.key)


def scenes(folder: Path, stack: ExitStack, connections: float, messages: float) -> list[Scene]:
    """The workers, and what is done to them."""
    curve = {"curve_key": folder / "curve/worker.secret", "curve_allowed": folder / "curve/allowed"}
    tls = {f"tls_{name}": folder / "tls" / file for name, file in _files("worker").items()}
    locked = stack.enter_context(
        Worker(BLOCK_SECONDS, locks={name: str(path) for name, path in {**curve, **tls}.items()})
    )
    unlocked = stack.enter_context(Worker(BLOCK_SECONDS))
    alice = {
        "PAIRSTREAM_CURVE_KEY": str(folder / "curve/alice.secret"),
        "PAIRSTREAM_CURVE_SERVER": str(folder / "curve/worker.public"),
        **{f"PAIRSTREAM_TLS_{name.upper()}": str(folder / "tls" / file) for name, file in _files("alice").items()},
    }
    return [
        Scene("keys", f"zmq://127.0.0.1:{locked.port}", connections, alice),
        Scene("certificates", f"grpc://{locked.grpc}", connections, alice),
        Scene("lengths", f"zmq://127.0.0.1:{unlocked.port}", connections),
        Scene("garbage", f"zmq://127.0.0.1:{unlocked.port}", messages),
    ]


def measure(scene: Scene, folder: Path, pairs: int, seconds: float, step: float) -> dict[str, Any]:
    """The honest client's pace while the attackers run and while they are stopped."""
    rates: dict[bool, list[float]] = {True: [], False: []}
    with ExitStack() as stack:
        honest = Reader(scene.url, "honest", step, scene.locks)
        attackers = _attackers(scene, folder)
        for process in (honest.process, attackers):
            stack.callback(process.communicate)
            stack.callback(process.kill)
        honest.rate(seconds)
        fired = _fired(attackers)
        for pair in range(pairs):
            for firing in (True, False) if pair % 2 else (False, True):
                attackers.send_signal(signal.SIGCONT if firing else signal.SIGSTOP)
                rates[firing].append(honest.rate(seconds))
        attackers.send_signal(signal.SIGCONT)
        fired = _fired(attackers) - fired
    with_them, without = statistics.median(rates[True]), statistics.median(rates[False])
    return {
        "attack": scene.attack,
        "attacks_per_s": fired / (pairs * seconds),
        "without_per_s": without,
        "with_per_s": with_them,
        "ratio": with_them / without,
    }


def _attackers(scene: Scene, folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "benchmarks.attackers", scene.attack, scene.url, str(folder), str(scene.rate)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _fired(attackers: subprocess.Popen[str]) -> int:
    """How often they have attacked until now."""
    assert attackers.stdin is not None
    assert attackers.stdout is not None
    print("?", file=attackers.stdin, flush=True)
    return int(attackers.stdout.readline())


def _files(name: str) -> Mapping[str, str]:
    return {"cert": f"{name}.pem", "key": f"{name}.key", "ca": "ca.pem"}


if __name__ == "__main__":
    main()
