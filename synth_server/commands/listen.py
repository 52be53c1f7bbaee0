"""`synth-server listen`: the page to listen, as a process, from its first line to its last."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pairstream import allocator, logs
from pairstream.address import Address
from pairstream.connect import read_url
from pairstream.errors import BindError, ConfigError
from pairstream.listener import installed_listener
from synth_server.listen.config import ListenSettings

if TYPE_CHECKING:  # needs optional packages
    from synth_server.listen.service import Service

_log = logging.getLogger(__name__)


def run(settings: ListenSettings) -> int:
    """Serve the page until SIGTERM or SIGINT."""
    logs.configure(settings.log_level, settings.log_format)
    tell = logs.teller(_log, settings.log_format)
    read_url(settings.stream)
    service = _service(settings)
    with _bound(settings.address) as door:
        url = f"http://{settings.address.host}:{door.getsockname()[1]}/"
        tell("listen", f"{url}   pairs from {settings.stream}; Ctrl-C stops", url=url, stream=settings.stream)
        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, lambda *_: None)  # for when the service raises them again
        service.serve(door)
    tell("stopped")
    if any(thread is not threading.current_thread() and not thread.daemon for thread in threading.enumerate()):
        sys.stdout.flush()
        os._exit(0)  # a thread waits for a worker, up to the time-out, and the interpreter would wait for it
    return 0


def _service(settings: ListenSettings) -> Service:
    allocator.tune()  # before an engine allocates anything
    try:
        from synth_server.listen.service import Service  # noqa: PLC0415
    except ImportError as error:
        raise ConfigError(
            f"the page needs what is not installed ({error}); pip install 'pairstream[listen]'"
        ) from error
    return Service(settings, installed_listener()(Path(settings.checkpoint)) if settings.checkpoint else None)


def _bound(address: Address) -> socket.socket:
    try:
        found: list[Any] = socket.getaddrinfo(address.host.strip("[]"), address.port, type=socket.SOCK_STREAM)
        return socket.create_server(found[0][4][:2], family=found[0][0])
    except (OSError, OverflowError) as error:
        raise BindError(f"cannot serve the page on {address}: {error}; choose another --http") from error
