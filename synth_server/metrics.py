"""Every metric of a worker, in one place. Names are `pairstream_worker_…`, in base units.

Labels are few and bounded: stages, and the bounds that `quota.py` names. Names of streams and experiments are in
`Status` (see ledger.py).
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.metrics_core import CounterMetricFamily, Metric
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from pairstream.block import PairBlock
from synth_server.memory import memory_limit
from synth_server.quota import BOUNDS
from synth_server.roster import Roster
from synth_server.scheduler import Scheduler
from synth_server.window import Window

#: The way of a block through a worker; `synth-server bench` has the same rows.
STAGES = ("sampling", "perturb", "engine", "encode", "send")

_STAGE_BUCKETS = tuple(1e-4 * 2.0**step for step in range(18))  # 0.1 ms to 13 s


class Tally:
    """A counter of the serving thread: to count costs an addition, without a lock; it is read when Prometheus asks."""

    def __init__(self, name: str, documentation: str, registry: CollectorRegistry) -> None:
        self._name, self._documentation = name, documentation
        self._count = 0
        registry.register(self)

    def inc(self, amount: int = 1) -> None:
        """So many more."""
        self._count += amount

    def collect(self) -> list[Metric]:
        """What Prometheus reads."""
        return [CounterMetricFamily(self._name, self._documentation, value=self._count)]


class WorkerMetrics:
    """The metrics of one worker, in a registry of their own so that two can live in one process."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # they double the series and nobody looks
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        prefix = "pairstream_worker"
        self.ready = Gauge(
            f"{prefix}_ready", "1 once a block was rendered, 0 before and while draining.", registry=registry
        )
        self.stage_seconds = Histogram(
            f"{prefix}_stage_seconds",
            "Time per block in a stage.",
            ["stage"],
            registry=registry,
            buckets=_STAGE_BUCKETS,
        )
        for stage in STAGES:
            self.stage_seconds.labels(stage)
        self.blocks_rendered = Tally(f"{prefix}_blocks_rendered", "Blocks rendered.", registry=registry)
        self.pairs_rendered = Tally(f"{prefix}_pairs_rendered", "Pairs rendered.", registry=registry)
        self.blocks_served = Tally(
            f"{prefix}_blocks_served", "Blocks for clients, sent or refused as unread.", registry=registry
        )
        self.blocks_shared = Tally(
            f"{prefix}_blocks_shared", "Of these blocks, those that another ask had rendered.", registry=registry
        )
        self.served_bytes = Tally(f"{prefix}_served_bytes", "Bytes of these blocks.", registry=registry)
        self.refusals = Counter(f"{prefix}_refusals", "Streams refused to clients.", registry=registry)
        self.failures = Counter(f"{prefix}_failures", "Blocks that could not be rendered.", registry=registry)
        self.sheds = Counter(f"{prefix}_sheds", "Asks dropped since a bound was reached.", ["bound"], registry=registry)
        for bound in BOUNDS:
            self.sheds.labels(bound)
        self.malformed = Counter(f"{prefix}_malformed_messages", "Messages that could not be read.", registry=registry)
        self.clients = Gauge(f"{prefix}_clients", "Clients that opened a stream and have not left.", registry=registry)
        self.streams = Gauge(f"{prefix}_streams", "Streams that these clients have open.", registry=registry)
        self.queue = Gauge(f"{prefix}_queue_blocks", "Blocks that somebody waits for.", registry=registry)
        self.waiting = Gauge(
            f"{prefix}_waiting_bytes", "Bytes to be sent for all asks that wait, of all clients.", registry=registry
        )
        self.window = Gauge(f"{prefix}_window_bytes", "Bytes of blocks held in memory.", registry=registry)
        self.window_limit = Gauge(f"{prefix}_window_limit_bytes", "Bound of the window.", registry=registry)
        memory = Gauge(f"{prefix}_memory_limit_bytes", "The container's or the machine's memory.", registry=registry)
        memory.set(memory_limit())

    def observe(self, stage: str, seconds: float) -> None:
        """One block took this long in a stage."""
        self.stage_seconds.labels(stage).observe(seconds)

    def rendered(self, block: PairBlock) -> None:
        """A block was rendered."""
        self.blocks_rendered.inc()
        self.pairs_rendered.inc(block.pairs)

    def served(self, block: PairBlock, clients: int, shared: int) -> None:
        """A block goes to so many clients, and to so many of them it was no work."""
        self.blocks_served.inc(clients)
        self.blocks_shared.inc(max(0, shared))
        self.served_bytes.inc(clients * block.nbytes)

    def watch(self, scheduler: Scheduler, roster: Roster, window: Window) -> None:
        """Look at these whenever the gauges are read, which costs less than to tell them of every ask."""
        self.queue.set_function(lambda: len(scheduler))
        self.waiting.set_function(lambda: scheduler.nbytes)
        self.clients.set_function(lambda: len(roster))
        self.streams.set_function(lambda: roster.streams)
        self.window.set_function(lambda: window.bytes)
        self.window_limit.set(window.limit_bytes)
