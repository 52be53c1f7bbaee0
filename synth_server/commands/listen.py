"""`synth-server listen`: the page to listen, as a process, from its first line to its last."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import Any

from pairstream import logs
from pairstream.errors import BindError, ConfigError
from pairstream.listener import Listener, installed_listener
from pairstream.spec import StreamSpec
from synth_server.config import ListenSettings

_log = logging.getLogger(__name__)

#: Seconds that an idle visitor keeps a connection, and that an answer may take once it was asked to stop.
KEEP_ALIVE_SECONDS, GRACE_SECONDS = 20, 5
#: Visitors at once; those beyond are told to come again.
MAX_CONNECTIONS = 128


def run(settings: ListenSettings) -> int:
    """Serve the page until SIGTERM or SIGINT."""
    logs.configure(settings.log_level, settings.log_format)
    tell = logs.teller(_log, settings.log_format)
    try:
        import uvicorn  # noqa: PLC0415 – an optional package, which --help can do without

        from synth_server.listen import app, clients, pairs  # noqa: PLC0415
    except ImportError as error:
        raise ConfigError(
            f"the page needs what is not installed ({error}); pip install 'pairstream[listen]'"
        ) from error
    from pairstream import allocator  # noqa: PLC0415 – before an engine allocates anything
    from pairstream.connect import read_url  # noqa: PLC0415

    read_url(settings.stream)
    allocator.tune()
    listener = installed_listener()(Path(settings.checkpoint)) if settings.checkpoint else None
    connections = clients.Clients(settings.stream, timeout=settings.timeout)
    source = pairs.Pairs(
        connections, timeout=settings.timeout, at_once=settings.at_once, cache_bytes=settings.cache_mib << 20
    )
    pages = app.Pages(source, url=settings.stream, spec=_spec(settings, listener), listener=listener)
    config = uvicorn.Config(
        app.make_app(pages),
        access_log=settings.log_level == "debug",
        lifespan="off",
        limit_concurrency=MAX_CONNECTIONS,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        ws="none",
    )
    with _bound(settings) as door:
        host, port = settings.address.host, door.getsockname()[1]
        url = f"http://{host}:{port}/"
        tell("listen", f"{url}   pairs from {settings.stream}; Ctrl-C stops", url=url, stream=settings.stream)
        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, lambda *_: None)  # uvicorn takes them while it serves, and raises them again after
        try:
            asyncio.run(uvicorn.Server(config).serve(sockets=[door]))
        finally:
            source.close()
    tell("stopped")
    if any(thread is not threading.current_thread() and not thread.daemon for thread in threading.enumerate()):
        sys.stdout.flush()
        os._exit(0)  # a thread waits for a worker, up to the time-out, and the interpreter would wait for it
    return 0


def _spec(settings: ListenSettings, listener: Listener | None) -> StreamSpec:
    """What the user said, or else what the encoder learned from."""
    return listener.spec if listener and settings.spec == StreamSpec() else settings.spec


def _bound(settings: ListenSettings) -> socket.socket:
    address = settings.address
    try:
        found: list[Any] = socket.getaddrinfo(address.host.strip("[]"), address.port, type=socket.SOCK_STREAM)
        return socket.create_server(found[0][4][:2], family=found[0][0])
    except (OSError, OverflowError) as error:
        raise BindError(f"cannot serve the page on {address}: {error}; choose another --http") from error
