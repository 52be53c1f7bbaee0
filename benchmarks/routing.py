"""64 workers and 16 experiments in one process: what choosing a worker costs, and what a change of workers moves.

python -m benchmarks.routing [--json]

Real clients and real workers' decisions (dispatcher, scheduler, window), with a stub for the renderer and queues
for the network, so that nothing is measured but the decisions. First they play together, and the post is written down.
Then single clients and workers get theirs once more, each by itself as in life, and are measured from when every
experiment has asked every worker something: CPU time of this thread per block, of which the ratios to one worker are
medians over rounds, and calls of functions. The second table counts what is rendered again when a worker joins or
leaves.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass

from benchmarks.calls import Calls
from benchmarks.simulated_fleet import Echo, Fleet, Letters, Network, alone_as_client, alone_as_worker, client
from pairstream.transport import Event

EXPERIMENTS, MEASURED_CLIENTS, ROUNDS = 16, 4, 7
#: Blocks of each worker, about, before it is measured: as many as it takes until every experiment has asked it.
MEETINGS = 4
#: Blocks that are timed, of each worker and in all at least: so many that the first and the last do not count.
TIMED, TIMED_IN_ALL = 64, 512
FLEETS = (1, 2, 4, 8, 16, 32, 64)
MEASURES = ("client_us", "worker_us", "client_calls", "worker_calls")
Row = dict[str, float]


@dataclass(frozen=True, kw_only=True)
class Play:
    """What came to each client and worker, of how many blocks, and how much of it before it is measured."""

    before: int
    blocks: int
    workers: tuple[str, ...]
    came: Sequence[Sequence[Event]]
    heard: Sequence[tuple[int, Sequence[Letters]]]
    sharing: float


def play(fleet: Fleet, experiments: int, blocks: int) -> Play:
    """Experiments in step through the first blocks of the stream."""
    networks = [Network(fleet, b"client-%d" % number) for number in range(experiments)]
    clients = [client(network, f"e{number}") for number, network in enumerate(networks)]
    streams = [one.blocks(stop=blocks) for one in clients]
    before, marks = min(blocks // 2, MEETINGS * len(fleet.workers)), {}
    for number, block in enumerate(zip(*streams, strict=True), start=1):
        assert len({one.index for one in block}) == 1
        if number == before:
            marks = {name: len(heard) for name, heard in fleet.heard.items()}
    found = Play(
        before=before,
        blocks=blocks,
        workers=networks[0].workers,
        came=[network.came for network in networks],
        heard=[(marks[name], list(heard)) for name, heard in fleet.heard.items()],
        sharing=experiments * blocks / fleet.rendered,
    )
    for one in clients:
        one.close()
    fleet.work()
    return found


def cost(played: Play) -> Row:
    """CPU microseconds per block of single clients and of single workers."""
    clients = [
        alone_as_client(Echo(played.workers, came), played.before, played.blocks, nullcontext())
        for came in played.came[:MEASURED_CLIENTS]
    ]
    spent, sent = zip(*(alone_as_worker(heard, mark, nullcontext()) for mark, heard in played.heard), strict=True)
    return {"client_us": statistics.mean(clients) * 1e6, "worker_us": sum(spent) / sum(sent) * 1e6}


def calls(played: Play) -> Row:
    """Calls of functions per block, which are always the same."""
    echo = Echo(played.workers, played.came[0])
    of_client, of_workers = Calls(lambda: not echo.laying_out), Calls()
    alone_as_client(echo, played.before, played.blocks, of_client)
    sent = sum(alone_as_worker(heard, mark, of_workers)[1] for mark, heard in played.heard)
    return {
        "client_calls": of_client.number / (played.blocks - played.before),
        "worker_calls": of_workers.number / sent,
    }


def costs() -> list[Row]:
    """For fleets of each size, all sizes in turn."""
    rounds: list[dict[int, Row]] = []
    for number in range(ROUNDS):
        rounds.append({})
        for size in FLEETS:
            played = play(Fleet([1_024] * size), EXPERIMENTS, MEETINGS * size + max(TIMED * size, TIMED_IN_ALL))
            counted = {"sharing": played.sharing, **calls(played)} if number == 0 else {}
            rounds[-1][size] = cost(played) | counted
    return [{"workers": size} | _medians(rounds, size) for size in FLEETS]


def _medians(rounds: Sequence[dict[int, Row]], size: int) -> Row:
    """Of what was found for this size, and of how many times that of one worker it was in the same round."""
    row = {}
    for name in rounds[0][size]:
        found = [(one[size][name], one[FLEETS[0]][name]) for one in rounds if name in one[size]]
        row[name] = statistics.median(value for value, _ in found)
        row[f"{name}_to_one"] = statistics.median(value / single for value, single in found)
    return row


def moves() -> list[Row]:
    """Blocks rendered again when everything was rendered and one worker joins or leaves, as a multiple of its share."""
    rows = []
    for size in (4, 16, 64):
        capacities = [(1_024, 2_048)[number % 2] for number in range(size)]
        blocks = 256 * size
        joined = Fleet(capacities)
        play(joined, 1, blocks)
        before = joined.rendered
        joined.hire(1_024)
        play(joined, 1, blocks)
        share = blocks * 1_024 / (sum(capacities) + 1_024)
        rows.append({"workers": size, "change": 1, "again": joined.rendered - before, "share": share})
        left = Fleet(capacities)
        play(left, 1, blocks)
        before = left.rendered
        left.fire()
        play(left, 1, blocks)
        share = blocks * capacities[0] / sum(capacities)
        rows.append({"workers": size, "change": -1, "again": left.rendered - before, "share": share})
    return rows


def main(as_json: bool) -> None:
    """Measure, and print."""
    cost_, moved = costs(), moves()
    if as_json:
        print(json.dumps({"experiments": EXPERIMENTS, "cost": cost_, "moves": moved}, indent=2))
        return
    print(f"{EXPERIMENTS} experiments in step; CPU per block, at least {TIMED} blocks of each worker, {ROUNDS} rounds")
    print(f"{'workers':>8}" + "".join(f" {name.replace('_', ' '):>12} to one" for name in MEASURES) + "  sharing")
    for row in cost_:
        told = "".join(f" {row[name]:12.1f} {row[f'{name}_to_one']:6.2f}" for name in MEASURES)
        print(f"{row['workers']:8}{told} {row['sharing']:8.2f}")
    print("\none worker more or less, after everything was rendered once")
    print(f"{'workers':>8} {'change':>7} {'rendered again':>15} {'its share':>10} {'ratio':>6}")
    for row in moved:
        print(
            f"{row['workers']:8} {row['change']:+7} {row['again']:15} {row['share']:10.1f} "
            f"{row['again'] / row['share']:6.2f}"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    main(parser.parse_args().json)
