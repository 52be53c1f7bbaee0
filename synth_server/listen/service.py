"""The page's server: its parts put together as the settings say, and run by uvicorn from a socket until a signal."""

from __future__ import annotations

import asyncio
import socket

import uvicorn

from pairstream.listener import Listener
from pairstream.spec import StreamSpec
from synth_server.limits import MIB
from synth_server.listen.app import Pages, make_app
from synth_server.listen.clients import Clients
from synth_server.listen.config import ListenSettings
from synth_server.listen.pairs import Pairs

#: Seconds that an idle visitor keeps a connection, and that an answer may take once it was asked to stop.
KEEP_ALIVE_SECONDS, GRACE_SECONDS = 20, 5
#: Visitors at once; those beyond are told to come again.
MAX_CONNECTIONS = 128


class Service:
    """Owns the pairs that it serves.

    Args:
        settings: checked.
        listener: the encoder that compares views, if there is one.
    """

    def __init__(self, settings: ListenSettings, listener: Listener | None) -> None:
        clients = Clients(settings.stream, timeout=settings.timeout)
        cache_bytes = settings.cache_mib * MIB
        self._pairs = Pairs(clients, timeout=settings.timeout, at_once=settings.at_once, cache_bytes=cache_bytes)
        # What the user said, or else what the encoder learned from.
        spec = listener.spec if listener and settings.spec == StreamSpec() else settings.spec
        self._config = uvicorn.Config(
            make_app(Pages(self._pairs, url=settings.stream, spec=spec, listener=listener)),
            access_log=settings.log_level == "debug",
            lifespan="off",
            limit_concurrency=MAX_CONNECTIONS,
            log_config=None,
            server_header=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            ws="none",
        )

    def serve(self, door: socket.socket) -> None:
        """Serve until SIGTERM or SIGINT, which are raised again after."""
        try:
            asyncio.run(uvicorn.Server(self._config).serve(sockets=[door]))
        finally:
            self._pairs.close()
