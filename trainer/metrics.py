"""The trainer's Prometheus metrics, all of them, and the port they are served on.

They move when a record is made (every `log_every` steps), not at every step.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge

from pairstream.address import Address
from pairstream.http_server import Health, HttpServer
from pairstream.stats import ClientStats
from pairstream.torch import PairBatch
from trainer.meter import Spent
from trainer.records import StepRecord


class Metrics:
    """A sink that keeps the metrics of one experiment, for a registry of its own.

    Args:
        experiment: the label of all of them.
        client: what the stream's client has measured, if it has.
        digest: the stream's, so that one can see which experiments follow the same.
        before: what earlier sessions of the run have spent, asked for at the first record. Counters count this
            session's: one that jumped to the run's total after a restart would look like a burst of work.
    """

    def __init__(
        self,
        experiment: str,
        client: Callable[[], ClientStats | None] = lambda: None,
        *,
        digest: str = "",
        before: Callable[[], Spent] = Spent,
    ) -> None:
        self.registry = CollectorRegistry()
        self._experiment = experiment
        self._before = before
        stream = Gauge("pairstream_trainer_stream_info", "1.", ["experiment", "digest"], registry=self.registry)
        stream.labels(experiment, digest).set(1)
        self._step = self._gauge("pairstream_trainer_step", "Optimiser steps done since the run began.")
        self._steps = self._counter("pairstream_trainer_steps", "Optimiser steps done in this session.")
        self._pairs = self._counter("pairstream_trainer_pairs", "Pairs trained on in this session.")
        self._seconds = self._counter("pairstream_trainer_run_seconds", "Wall time of the training.")
        self._waited = self._counter("pairstream_trainer_wait_seconds", "Wall time spent waiting for data.")
        self._wait_fraction = self._gauge("pairstream_trainer_wait_fraction", "Share of the wall time spent waiting.")
        self._rate = self._gauge("pairstream_trainer_pairs_per_second", "Pairs trained on per second of wall time.")
        self._loss = self._gauge("pairstream_trainer_loss", "Loss of the last recorded step.")
        self._alignment = self._gauge("pairstream_trainer_alignment", "Alignment term of that loss.")
        self._uniformity = self._gauge("pairstream_trainer_uniformity", "Uniformity term of that loss.")
        self._terms = Gauge(
            "pairstream_trainer_objective_term",
            "What else the objective names, by its name.",
            ["experiment", "term"],
            registry=self.registry,
        )
        self._lr = self._gauge("pairstream_trainer_learning_rate", "Learning rate of that step.")
        self._cursor = self._gauge("pairstream_trainer_cursor_index", "First block not yet trained on.")
        self._client = client
        self._received = self._counter("pairstream_client_blocks", "Blocks received.")
        self._blocked = self._counter("pairstream_client_wait_seconds", "Time in which no block was there.")
        self._hedges = self._counter("pairstream_client_hedges", "Second asks for blocks that were late.")
        self._reasks = self._counter("pairstream_client_reasks", "Asks in the stead of one that came to nothing.")
        self._duplicates = self._counter("pairstream_client_duplicates", "Blocks that came twice or too late.")
        self._busy = self._counter("pairstream_client_busy", "Times that a worker was too busy.")
        self._workers = self._gauge("pairstream_client_workers", "Workers that serve the stream to this client.")
        self._desired = self._gauge("pairstream_workers_desired", "Workers with which this client would not wait.")
        self._stats = ClientStats()
        self._told: dict[str, float] = {}

    def first_batch(self, batch: PairBatch) -> None:
        """Nothing to count yet."""

    def record(self, record: StepRecord) -> None:
        """Move every metric to this record."""
        if not self._told:
            spent = self._before()
            self._told = {"step": spent.steps, "pairs": spent.pairs, "seconds": spent.seconds, "waited": spent.waited}
        self._step.set(record.step)
        for name, counter in self._counters().items():
            value = float(getattr(record, name))
            counter.inc(max(0.0, value - self._told[name]))
            self._told[name] = value
        self._wait_fraction.set(record.wait_fraction)
        self._rate.set(record.pairs_per_second)
        self._loss.set(record.loss)
        self._alignment.set(record.alignment)
        self._uniformity.set(record.uniformity)
        for name, value in record.terms.items():
            self._terms.labels(self._experiment, name).set(value)
        self._lr.set(record.lr)
        self._cursor.set(record.next_index)
        if stats := self._client():
            self._tell_client(stats)

    def close(self) -> None:
        """Nothing to release; the server is its own."""

    def _tell_client(self, stats: ClientStats) -> None:
        """Move the client's metrics; a client that was opened anew counts from 0 again."""
        before = self._stats if stats.steps >= self._stats.steps else ClientStats()
        self._received.inc(stats.steps - before.steps)
        self._blocked.inc(max(0.0, stats.waited_seconds - before.waited_seconds))
        self._hedges.inc(max(0, stats.hedges - before.hedges))
        self._reasks.inc(max(0, stats.reasks - before.reasks))
        self._duplicates.inc(max(0, stats.duplicates - before.duplicates))
        self._busy.inc(max(0, stats.busy - before.busy))
        self._workers.set(stats.workers)
        self._desired.set(stats.workers_desired)
        self._stats = stats

    def _counters(self) -> dict[str, Counter]:
        return {"step": self._steps, "pairs": self._pairs, "seconds": self._seconds, "waited": self._waited}

    def _counter(self, name: str, text: str) -> Counter:
        return Counter(name, text, ["experiment"], registry=self.registry).labels(self._experiment)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(name, text, ["experiment"], registry=self.registry).labels(self._experiment)


class ServedMetrics(Metrics):
    """Metrics that Prometheus can scrape from http://HOST:PORT/metrics until `close`, and /healthz beside them.

    Args:
        host, port: where; port 0 means any.
        health: what /healthz says.
        metrics: see `Metrics`.

    Raises:
        BindError: the address cannot be listened on.
    """

    def __init__(
        self,
        experiment: str,
        host: str,
        port: int,
        client: Callable[[], ClientStats | None] = lambda: None,
        *,
        health: Callable[[], Health] = lambda: Health(well=True),
        **metrics: Any,
    ) -> None:
        super().__init__(experiment, client, **metrics)
        self._server = HttpServer(Address(host, port), self.registry, health, flag="metrics_port")
        self._server.start()

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return self._server.address.port

    def close(self) -> None:
        """Stop serving."""
        self._server.stop()
