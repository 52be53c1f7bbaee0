"""/metrics for Prometheus and /healthz for whoever restarts workers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from threading import Thread
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry, make_wsgi_app
from prometheus_client.exposition import ThreadingWSGIServer

from pairstream.address import Address
from pairstream.errors import BindError

StartResponse = Callable[[str, list[tuple[str, str]]], Any]


class _Quiet(WSGIRequestHandler):
    """Scrapes are not news."""

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


class HttpServer:
    """Serves both pages from `start` to `stop`.

    Args:
        address: where; port 0 means any.
        registry: what /metrics shows.
        ready: whether /healthz says 200 or 503.

    Raises:
        BindError: the address is taken or not this machine's.
    """

    def __init__(self, address: Address, registry: CollectorRegistry, ready: Callable[[], bool]) -> None:
        self._metrics = make_wsgi_app(registry)
        self._ready = ready
        try:
            self._server: WSGIServer = make_server(
                address.host.strip("[]"), address.port, self._answer, ThreadingWSGIServer, _Quiet
            )
        except (OSError, OverflowError) as error:
            raise BindError(f"cannot serve metrics on {address}: {error}; choose another --http") from error
        self.address = Address(address.host, self._server.server_port)
        self._thread = Thread(target=self._server.serve_forever, args=(0.1,), name="http", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Stop answering and give the port back."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def _answer(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path == "/metrics":
            page: Iterable[bytes] = self._metrics(environ, start_response)
            return page
        if path == "/healthz":
            ready = self._ready()
            status, body = ("200 OK", b"ready\n") if ready else ("503 Service Unavailable", b"no block rendered yet\n")
        else:
            status, body = "404 Not Found", b"there is /metrics and /healthz\n"
        start_response(status, [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))])
        return [body]
