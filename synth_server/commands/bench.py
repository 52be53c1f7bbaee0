"""`synth-server bench`: where the time of a block goes, stage by stage, from theta to the client.

The worker's stages report themselves, under the names that its metrics have; `decode` and `transfer` are
the client's side: a second thread asks this process over ZeroMQ for blocks that are rendered already.
"""

from __future__ import annotations

import json
import statistics
import time
from collections import defaultdict, deque
from dataclasses import replace
from typing import Any

from rich.console import Console
from rich.progress import track
from rich.table import Table

from pairstream import allocator, connect
from pairstream.block import PairBlock
from pairstream.codec import decode, encode
from pairstream.cores import usable_cores
from pairstream.errors import ConfigError
from pairstream.messages import Layout
from pairstream.spec import StreamSpec
from synth_server.commands import contest
from synth_server.config import BenchSettings, ServeSettings
from synth_server.limits import LOCAL
from synth_server.metrics import WorkerMetrics
from synth_server.renderer import Renderer
from synth_server.server import Server

Timings = defaultdict[str, list[float]]

#: Blocks held while others are rendered. As in a worker whose window is full, no memory is new.
KEPT = 4


class _Replay:
    """A source of blocks that are rendered already, so that only the way to the client is measured."""

    fingerprint = "replay"

    def __init__(self, blocks: list[PairBlock], layout: Layout) -> None:
        self._blocks = blocks
        self.layout = layout

    def render(self, index: int) -> PairBlock:
        return replace(self._blocks[index % len(self._blocks)], index=index)

    def close(self) -> None:
        return


def run(settings: BenchSettings) -> int:
    """Measure, and print the medians."""
    if settings.blocks < 1:
        raise ConfigError(f"blocks={settings.blocks}; measure at least 1")
    if settings.engines:
        return contest.run(settings)
    LOCAL.check(settings.spec)
    allocator.tune()
    timings: Timings = defaultdict(list)
    blocks, layout = _render(settings, timings)
    for block in blocks:
        _code(block, timings)
    _transfer(settings.spec, blocks, layout, timings)
    rows = {stage: _row(seconds, settings.spec.block_pairs) for stage, seconds in timings.items()}
    if settings.json:
        print(json.dumps({"spec": settings.spec.as_dict(), "threads": _threads(settings), "stages": rows}, indent=2))
    else:
        Console().print(_title(settings), _table(rows), sep="\n", highlight=False)
    return 0


def _threads(settings: BenchSettings) -> int:
    return settings.threads or usable_cores()


def _render(settings: BenchSettings, timings: Timings) -> tuple[list[PairBlock], Layout]:
    def observe(stage: str, seconds: float) -> None:
        timings[stage].append(seconds)

    renderer = Renderer(settings.spec, device=settings.device, threads=_threads(settings), observe=observe)
    blocks: deque[PairBlock] = deque(maxlen=KEPT)
    try:
        for index in range(KEPT + 2):
            blocks.append(renderer.render(index))
        timings.clear()
        terminal, indices = Console(stderr=True), range(settings.blocks)
        for index in track(indices, "rendering", console=terminal, transient=True, disable=not terminal.is_terminal):
            began = time.perf_counter()
            blocks.append(renderer.render(index))
            timings["render, all of it"].append(time.perf_counter() - began)
        return list(blocks), renderer.layout
    finally:
        renderer.close()


def _code(block: PairBlock, timings: Timings) -> None:
    began = time.perf_counter()
    frames = encode(block)
    encoded = time.perf_counter()
    decode(frames)
    timings["encode"].append(encoded - began)
    timings["decode"].append(time.perf_counter() - encoded)


def _transfer(spec: StreamSpec, blocks: list[PairBlock], layout: Layout, timings: Timings) -> None:
    """The client's wait per block, worker to client on loopback, nothing rendered."""
    settings = ServeSettings(bind="tcp://127.0.0.1:0", grpc="127.0.0.1:0", http="127.0.0.1:0", window_mib=0)

    def open_source(spec: StreamSpec) -> _Replay:
        return _Replay(blocks, layout)

    with Server(settings, open_source, WorkerMetrics()) as server, connect(server.addresses.data, spec) as client:
        client.fetch(0)
        began = time.perf_counter()
        for _ in client.blocks(stop=10 * len(blocks)):
            now = time.perf_counter()
            timings["transfer"].append(now - began)
            began = now


def _row(seconds: list[float], pairs: int) -> dict[str, Any]:
    median = statistics.median(seconds)
    return {
        "median_seconds": median,
        "min_seconds": min(seconds),
        "max_seconds": max(seconds),
        "pairs_per_second": pairs / median if median else float("inf"),
    }


def _title(settings: BenchSettings) -> str:
    spec = settings.spec
    return (
        f"{spec.synth}, {spec.block_pairs} pairs of {spec.seconds:g} s at {spec.sample_rate} Hz, engine {spec.engine}, "
        f"threads {_threads(settings)}, blocks {settings.blocks}"
    )


def _table(rows: dict[str, dict[str, Any]]) -> Table:
    table = Table()
    table.add_column("stage")
    for column in ("median ms", "min", "max", "pairs/s"):
        table.add_column(column, justify="right")
    for stage, row in rows.items():
        times = (f"{row[key] * 1e3:,.2f}" for key in ("median_seconds", "min_seconds", "max_seconds"))
        table.add_row(stage, *times, f"{row['pairs_per_second']:,.0f}")
    return table
