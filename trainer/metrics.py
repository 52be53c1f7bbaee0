"""The trainer's Prometheus metrics, all of them, and the port they are served on.

They move when a record is made (every `log_every` steps), not at every step.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, start_http_server

from pairstream.errors import BindError
from pairstream.torch import PairBatch
from trainer.records import StepRecord


class Metrics:
    """A sink that keeps the metrics of one experiment, for a registry of its own."""

    def __init__(self, experiment: str) -> None:
        self.registry = CollectorRegistry()
        self._experiment = experiment
        self._steps = self._counter("pairstream_trainer_steps", "Optimiser steps done.")
        self._pairs = self._counter("pairstream_trainer_pairs", "Pairs trained on.")
        self._seconds = self._counter("pairstream_trainer_run_seconds", "Wall time of the training.")
        self._waited = self._counter("pairstream_trainer_wait_seconds", "Wall time spent waiting for data.")
        self._wait_fraction = self._gauge("pairstream_trainer_wait_fraction", "Share of the wall time spent waiting.")
        self._rate = self._gauge("pairstream_trainer_pairs_per_second", "Pairs trained on per second of wall time.")
        self._loss = self._gauge("pairstream_trainer_loss", "Loss of the last recorded step.")
        self._alignment = self._gauge("pairstream_trainer_alignment", "Alignment term of that loss.")
        self._uniformity = self._gauge("pairstream_trainer_uniformity", "Uniformity term of that loss.")
        self._lr = self._gauge("pairstream_trainer_learning_rate", "Learning rate of that step.")
        self._cursor = self._gauge("pairstream_trainer_cursor_index", "First block not yet trained on.")
        self._told = {"step": 0.0, "pairs": 0.0, "seconds": 0.0, "waited": 0.0}

    def first_batch(self, batch: PairBatch) -> None:
        """Nothing to count yet."""

    def record(self, record: StepRecord) -> None:
        """Move every metric to this record."""
        for name, counter in self._counters().items():
            value = float(getattr(record, name))
            counter.inc(max(0.0, value - self._told[name]))
            self._told[name] = value
        self._wait_fraction.set(record.wait_fraction)
        self._rate.set(record.pairs_per_second)
        self._loss.set(record.loss)
        self._alignment.set(record.alignment)
        self._uniformity.set(record.uniformity)
        self._lr.set(record.lr)
        self._cursor.set(record.next_index)

    def close(self) -> None:
        """Nothing to release; the server is its own."""

    def _counters(self) -> dict[str, Counter]:
        return {"step": self._steps, "pairs": self._pairs, "seconds": self._seconds, "waited": self._waited}

    def _counter(self, name: str, text: str) -> Counter:
        return Counter(name, text, ["experiment"], registry=self.registry).labels(self._experiment)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(name, text, ["experiment"], registry=self.registry).labels(self._experiment)


class ServedMetrics(Metrics):
    """Metrics that Prometheus can scrape from http://HOST:PORT/metrics until `close`.

    Raises:
        BindError: the address cannot be listened on.
    """

    def __init__(self, experiment: str, host: str, port: int) -> None:
        super().__init__(experiment)
        try:
            self._server, self._thread = start_http_server(port, host, self.registry)
        except (OSError, OverflowError) as error:
            raise BindError(
                f"metrics cannot be served on {host}:{port}: {error}; choose another --metrics_port"
            ) from error

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return int(self._server.server_address[1])

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=5.0)
