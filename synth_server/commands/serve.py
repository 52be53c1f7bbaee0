"""`synth-server serve`: a worker as a process, from its first line to its last."""

from __future__ import annotations

import logging
import os
import signal
import time
from functools import partial
from threading import Event

from synth_server.config import ServeSettings
from synth_server.metrics import WorkerMetrics
from synth_server.server import Server
from synth_server.upstream import Upstream


def run(settings: ServeSettings) -> int:
    """Serve until SIGTERM or SIGINT; 0 if everything in the making was finished, 1 if not."""
    began = time.monotonic()
    logging.basicConfig(
        level=settings.log_level.upper(), format="%(asctime)s %(levelname)-7s %(name)s: %(message)s", force=True
    )
    from pairstream import allocator  # noqa: PLC0415 – before an engine allocates anything

    allocator.tune()
    stop = Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_: stop.set())
    metrics = WorkerMetrics()
    server = _relay(settings, metrics, stop) if settings.upstream else _worker(settings, metrics)
    for url in server.addresses.all_data:
        print(f"pairs    {url}", flush=True)
    print(f"grpc     {server.addresses.grpc}", flush=True)
    print(f"http     {server.addresses.http}", flush=True)
    with_grace = False
    try:
        server.start()
        print(f"ready    after {time.monotonic() - began:.1f} s; Ctrl-C stops", flush=True)
        stop.wait()
        print("draining", flush=True)
    finally:
        with_grace = server.stop()
    if not with_grace:
        os._exit(1)  # a rendering thread cannot be interrupted, and the interpreter would wait for it
    print("stopped", flush=True)
    return 0


def _worker(settings: ServeSettings, metrics: WorkerMetrics) -> Server:
    from synth_server.renderer import Renderer  # noqa: PLC0415 – loads numba, and may have something to log

    threads = settings.threads or None
    return Server(
        settings, partial(Renderer, device=settings.device, threads=threads, observe=metrics.observe), metrics
    )


def _relay(settings: ServeSettings, metrics: WorkerMetrics, stop: Event) -> Server:
    upstream = Upstream(settings.upstream, stop)
    return Server(settings, upstream, metrics, warm_up=upstream.reach)
