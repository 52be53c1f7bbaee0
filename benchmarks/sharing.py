"""Several experiments on one stream: how often a block is rendered, and what one that stops does to another.

python -m benchmarks.sharing [--blocks 600] [--pairs 8] [--step-ms 4] [--json]

Worker processes with a toy source (256 KiB a block, 1 ms each) and a window of 64 MiB, 256 blocks.

The first table: k experiments in step. The sharing ratio is blocks served / blocks rendered, by the workers' own
counters; k is the best there can be. The second: two experiments in processes of their own, each with a step of
`--step-ms`; one of them is stopped (SIGSTOP) for every second of two seconds, and the other's blocks per second
are counted with and without it. What is printed are medians of such pairs, taken in turn.
"""

from __future__ import annotations

import argparse
import json
import signal
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.fleet import SPEC, Worker
from benchmarks.reader import Reader
from pairstream import connect

BLOCK_SECONDS, CREDIT_BLOCKS = 0.001, 8
RENDERED, SERVED = "pairstream_worker_blocks_rendered_total", "pairstream_worker_blocks_served_total"
#: Seconds of a period; the stopped one is stopped for every other.
PERIOD = 1.0


@contextmanager
def fleet(size: int) -> Iterator[list[Worker]]:
    """So many workers."""
    with ExitStack() as stack:
        yield [stack.enter_context(Worker(BLOCK_SECONDS)) for _ in range(size)]


def url_of(workers: Sequence[Worker]) -> str:
    return "zmq://" + ",".join(f"127.0.0.1:{worker.port}" for worker in workers)


def in_step(workers: Sequence[Worker], experiments: int, blocks: int, start: int) -> dict[str, float]:
    """Experiments that take the same block at the same time; what it cost the workers."""
    before = [sum(worker.counted(metric) for worker in workers) for metric in (SERVED, RENDERED)]
    with ExitStack() as stack:
        clients = [
            stack.enter_context(
                connect(url_of(workers), SPEC, experiment=f"e{number}", credit_bytes=CREDIT_BLOCKS * SPEC.audio_bytes)
            )
            for number in range(experiments)
        ]
        began = time.perf_counter()
        for step in zip(*(client.blocks(start, start + blocks) for client in clients), strict=True):
            assert len({block.index for block in step}) == 1
        seconds = time.perf_counter() - began
        hedges = sum(client.stats().hedges for client in clients)
    served, rendered = (
        sum(worker.counted(metric) for worker in workers) - was
        for metric, was in zip((SERVED, RENDERED), before, strict=True)
    )
    return {
        "workers": len(workers),
        "experiments": experiments,
        "served": served,
        "rendered": rendered,
        "sharing": experiments * blocks / rendered,
        "of_best": blocks / rendered,
        "hedges": hedges,
        "blocks_per_s": blocks / seconds,
    }


def sharing(blocks: int) -> list[dict[str, float]]:
    """One row for every number of workers and experiments."""
    rows = []
    for size in (1, 2):
        with fleet(size) as workers:
            for turn, experiments in enumerate((1, 2, 4, 8)):
                rows.append(in_step(workers, experiments, blocks, turn * blocks))
    return rows


def stopped(size: int, pairs: int, step: float) -> dict[str, float]:
    """One experiment's blocks per second while another runs, and while that one is stopped."""
    rates: dict[bool, list[float]] = {True: [], False: []}
    with fleet(size) as workers, ExitStack() as stack:
        steady, other = (Reader(url_of(workers), name, step) for name in ("steady", "other"))
        for reader in (steady, other):
            stack.callback(reader.process.communicate)
            stack.callback(reader.process.kill)
            reader.rate(PERIOD)
        for pair in range(pairs):
            for running in (True, False) if pair % 2 else (False, True):
                other.process.send_signal(signal.SIGCONT if running else signal.SIGSTOP)
                rates[running].append(steady.rate(PERIOD))
        other.process.send_signal(signal.SIGCONT)
        behind = steady.progress()[0] - other.progress()[0]
    with_it, without = (statistics.median(rates[running]) for running in (True, False))
    changes = [one / two - 1 for one, two in zip(rates[False], rates[True], strict=True)]
    return {
        "workers": size,
        "with_it_per_s": with_it,
        "stopped_per_s": without,
        "change": without / with_it - 1,
        "median_change_of_pairs": statistics.median(changes),
        "behind": behind,
    }


def show(found: dict[str, list[dict[str, float]]], console: Console) -> None:
    """Both tables."""
    table = Table("workers", "experiments", "served", "rendered", "sharing", "of the best", "blocks/s of each")
    for row in found["sharing"]:
        counts = [f"{row[name]:.0f}" for name in ("workers", "experiments", "served", "rendered")]
        table.add_row(*counts, f"{row['sharing']:.3f}", f"{row['of_best']:.3f}", f"{row['blocks_per_s']:.0f}")
    console.print(table)
    table = Table("workers", "blocks/s beside another", "while that is stopped", "change", "median of pairs")
    for row in found["stopped"]:
        rates = (f"{row['with_it_per_s']:.1f}", f"{row['stopped_per_s']:.1f}")
        table.add_row(f"{row['workers']:.0f}", *rates, f"{row['change']:+.1%}", f"{row['median_change_of_pairs']:+.1%}")
    console.print(table)


def main() -> None:
    """Measure, and print tables or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--blocks", type=int, default=600, help="of each row of the first table")
    parser.add_argument("--pairs", type=int, default=8, help="periods with and without, for each row of the second")
    parser.add_argument("--step-ms", type=float, default=4.0, help="the step of an experiment, in the second table")
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    found: dict[str, Any] = {"sharing": sharing(arguments.blocks)}
    found["stopped"] = [stopped(size, arguments.pairs, arguments.step_ms / 1_000) for size in (1, 2)]
    if arguments.json:
        print(json.dumps(found, indent=2))
    else:
        show(found, Console())


if __name__ == "__main__":
    main()
