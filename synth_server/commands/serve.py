"""`synth-server serve`: a worker as a process, from its first line to its last."""

from __future__ import annotations

import logging
import os
import signal
import time
from functools import partial
from threading import Event

from pairstream import logs
from synth_server.config import ServeSettings
from synth_server.metrics import WorkerMetrics
from synth_server.server import Server
from synth_server.upstream import Upstream

_log = logging.getLogger(__name__)


def run(settings: ServeSettings) -> int:
    """Serve until SIGTERM or SIGINT; 0 if everything in the making was finished, 1 if not."""
    began = time.monotonic()
    logs.configure(settings.log_level, settings.log_format)
    tell = logs.teller(_log, settings.log_format)
    from pairstream import allocator  # noqa: PLC0415 – before an engine allocates anything

    allocator.tune()
    stop = Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_: stop.set())
    metrics = WorkerMetrics()
    server = _relay(settings, metrics, stop) if settings.upstream else _worker(settings, metrics)
    for url in server.addresses.all_data:
        tell("pairs", f"{url}", url=str(url))
    tell("grpc", server.addresses.grpc, address=server.addresses.grpc)
    tell("http", server.addresses.http, url=server.addresses.http)
    with_grace = False
    try:
        server.start()
        seconds = time.monotonic() - began
        tell("ready", f"after {seconds:.1f} s; Ctrl-C stops", seconds=round(seconds, 3))
        stop.wait()
        tell("draining")
    finally:
        with_grace = server.stop()
    if not with_grace:
        os._exit(1)  # a rendering thread cannot be interrupted, and the interpreter would wait for it
    tell("stopped")
    return 0


def _worker(settings: ServeSettings, metrics: WorkerMetrics) -> Server:
    from synth_server.engines.lending import SharedEngines  # noqa: PLC0415
    from synth_server.renderer import Renderer  # noqa: PLC0415 – loads numba, and may have something to log

    render = partial(
        Renderer,
        device=settings.device,
        threads=settings.threads or None,
        observe=metrics.observe,
        engines=SharedEngines(),
    )
    return Server(settings, render, metrics)


def _relay(settings: ServeSettings, metrics: WorkerMetrics, stop: Event) -> Server:
    upstream = Upstream(settings.upstream, stop)
    return Server(settings, upstream, metrics, warm_up=upstream.reach)
