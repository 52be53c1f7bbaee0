"""The worker's life: bind, warm up, serve, drain, stop."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from threading import Event
from types import TracebackType
from typing import Self

from pairstream.source import OpenSource
from synth_server.capacity import measure
from synth_server.config import ServeSettings
from synth_server.describe import describe
from synth_server.dispatcher import Dispatcher
from synth_server.grpc_server import GrpcServer, WorkerService
from synth_server.http_server import HttpServer
from synth_server.ledger import Ledger
from synth_server.limits import MIB
from synth_server.metrics import WorkerMetrics
from synth_server.pace import Pace
from synth_server.scheduler import Scheduler
from synth_server.sources import Sources
from synth_server.window import Window
from synth_server.zmq_server import ZmqServer

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Addresses:
    """Where a worker listens, as its users would write it."""

    data: str
    grpc: str
    http: str


class Server:
    """One worker. Binds on construction, serves between `start` and `stop`; a context manager does both.

    Args:
        settings: what to listen on and how much to hold.
        open_source: makes the source of a stream: a renderer.
        metrics: times and counts; the sources should observe their stages with it.
        warm_up: proves that there is a source, and gives its pairs per second.

    Raises:
        BindError: an address is taken or not this machine's.
    """

    def __init__(
        self,
        settings: ServeSettings,
        open_source: OpenSource,
        metrics: WorkerMetrics,
        warm_up: Callable[[Sources], int] = measure,
    ) -> None:
        self._settings = settings
        self._measure = warm_up
        self._metrics = metrics
        self._ready = Event()
        self._ledger = Ledger()
        self._window = Window(settings.window_mib * MIB)
        scheduler = Scheduler(settings.limits.asks_per_client)
        pace = Pace()
        self._dispatcher = Dispatcher(self._window, scheduler, self._ledger, metrics, limits=settings.limits, pace=pace)
        sources = Sources(open_source, settings.limits, upcoming=self._dispatcher.upcoming, pace=pace)
        self._zmq = ZmqServer(self._dispatcher, sources, metrics)
        with ExitStack() as undo:
            undo.callback(self._zmq.stop, 0)
            data = self._zmq.bind(settings.data_address)
            self._http = HttpServer(settings.http_address, metrics.registry, self._ready.is_set)
            undo.callback(self._http.stop)
            self._grpc = GrpcServer(settings.grpc_address)
            undo.pop_all()
        self.addresses = Addresses(f"zmq://{data}", str(self._grpc.address), f"http://{self._http.address}")

    def start(self) -> None:
        """Answer at once; serve blocks, and be ready, as soon as one was rendered.

        Raises:
            PairstreamError: not even the warm-up block could be rendered, or a relay was stopped before its workers
                answered.
        """
        self._http.start()
        description = describe(self._settings.limits, self.addresses.data, self._settings.upstream)
        self._grpc.start(WorkerService(description, self._ledger, self._window, self._dispatcher))
        self._zmq.on_rendering_thread(self._warm_up)
        self._zmq.start()
        self._ready.set()
        self._metrics.ready.set(1)
        self._grpc.set_ready()

    def _warm_up(self, sources: Sources) -> None:
        """Proof that there is a source, and a measure of how fast it is."""
        measured = self._measure(sources)
        self._dispatcher.capacity = self._settings.capacity or measured
        _log.debug("capacity %d pairs per second, measured %d", self._dispatcher.capacity, measured)

    def stop(self) -> bool:
        """Drain and stop; False if a block in the making had to be given up."""
        self._ready.clear()
        self._metrics.ready.set(0)
        self._grpc.set_draining()
        in_time = self._zmq.stop(self._settings.drain_seconds)
        self._grpc.stop()
        self._http.stop()
        if not in_time:
            _log.warning("gave up a block that was in the making after %s s", self._settings.drain_seconds)
        return in_time

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
