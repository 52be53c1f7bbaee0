"""The worker's life: bind, warm up, serve, drain, stop."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from pairstream.http_server import HttpServer
from pairstream.source import OpenSource
from synth_server.bell import Bell
from synth_server.capacity import measure
from synth_server.config import ServeSettings
from synth_server.describe import describe
from synth_server.dispatcher import Dispatcher
from synth_server.grpc_door import GrpcDoor
from synth_server.grpc_server import GrpcServer, WorkerService
from synth_server.ledger import Ledger
from synth_server.limits import MIB
from synth_server.meeting_point import meeting_point
from synth_server.metrics import WorkerMetrics
from synth_server.pace import Pace
from synth_server.pulse import Pulse
from synth_server.rendering import Rendering
from synth_server.scheduler import Scheduler
from synth_server.serving import Serving
from synth_server.sources import Sources
from synth_server.window import Window
from synth_server.zmq_door import ZmqDoor

_log = logging.getLogger(__name__)

#: Streams whose renderers stay open; those of one form share an engine.
RENDERED_STREAMS: Final = 8


@dataclass(frozen=True)
class Addresses:
    """Where a worker listens, as its users would write it."""

    data: str
    all_data: tuple[str, ...]
    """Wherever pairs are served over ZeroMQ; `data` is the first of them."""
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
        ConfigError: a file of keys is of no use.
    """

    def __init__(
        self,
        settings: ServeSettings,
        open_source: OpenSource,
        metrics: WorkerMetrics,
        warm_up: Callable[[Sources], int] = measure,
    ) -> None:
        gate, lock = settings.locks.gate(), settings.locks.grpc_lock()
        self._settings = settings
        self._measure = warm_up
        self._metrics = metrics
        self._ledger = Ledger()
        self._window = Window(settings.window_mib * MIB)
        scheduler = Scheduler(settings.limits.asks_per_client)
        pace = Pace()
        self._dispatcher = Dispatcher(self._window, scheduler, self._ledger, metrics, limits=settings.limits, pace=pace)
        keep = settings.limits.streams if settings.upstream else RENDERED_STREAMS
        sources = Sources(open_source, settings.limits, keep=keep, upcoming=self._dispatcher.upcoming, pace=pace)
        bell = Bell()
        self._pulse = Pulse(bell.ring)
        self._rendering = Rendering(sources, done=bell.ring)
        zmq_door = ZmqDoor(meeting_point(allowed=not settings.no_shared_memory), gate)
        self._grpc_door = GrpcDoor(bell)
        doors, client_bytes = (zmq_door, self._grpc_door), settings.client_mib * MIB
        self._serving = Serving(
            doors, self._dispatcher, self._rendering, bell, metrics, pulse=self._pulse, client_bytes=client_bytes
        )
        with ExitStack() as undo:
            undo.callback(self._serving.stop, 0)
            data = [str(zmq_door.bind(url)) for url in settings.data_urls]
            self._http = HttpServer(settings.http_address, metrics.registry, self._pulse.health)
            undo.callback(self._http.stop)
            self._grpc = GrpcServer(settings.grpc_address, lock)
            undo.pop_all()
        self.addresses = Addresses(data[0], tuple(data), str(self._grpc.address), f"http://{self._http.address}")

    def start(self) -> None:
        """Answer at once; serve blocks, and be ready, as soon as one was rendered.

        Raises:
            PairstreamError: not even the warm-up block could be rendered, or a relay was stopped before its workers
                answered.
        """
        self._http.start()
        description = describe(self._settings.limits, self.addresses.data, self._settings.upstream)
        service = WorkerService(description, self._ledger, self._window, self._dispatcher)
        self._grpc.start(service, self._grpc_door.handler)
        self._serving.start()
        self._rendering.call(self._warm_up)
        self._serving.open()
        self._pulse.start()
        self._metrics.ready.set(1)
        self._grpc.set_ready()

    def _warm_up(self, sources: Sources) -> None:
        """Proof that there is a source, and a measure of how fast it is."""
        measured = self._measure(sources)
        self._dispatcher.capacity = self._settings.capacity or measured
        _log.debug("capacity %d pairs per second, measured %d", self._dispatcher.capacity, measured)

    def stop(self) -> bool:
        """Drain and stop; False if a block in the making had to be given up."""
        self._pulse.stop()
        self._metrics.ready.set(0)
        self._grpc.set_draining()
        in_time = self._serving.stop(self._settings.drain_seconds)
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
