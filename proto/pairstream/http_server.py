"""/metrics for Prometheus and /healthz for whoever restarts processes; workers and trainers both have it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from socket import AF_INET6
from threading import Thread
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry, make_wsgi_app
from prometheus_client.exposition import ThreadingWSGIServer

from pairstream.address import Address
from pairstream.errors import BindError

StartResponse = Callable[[str, list[tuple[str, str]]], Any]


@dataclass(frozen=True)
class Health:
    """Whether the process does its work, and if not, why not."""

    well: bool
    why: str = "ready"


class _Ipv6Server(ThreadingWSGIServer):
    address_family = AF_INET6


class _Quiet(WSGIRequestHandler):
    """Scrapes are not news."""

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


class HttpServer:
    """Serves both pages from `start` to `stop`.

    Args:
        address: where; port 0 means any.
        registry: what /metrics shows.
        health: asked for every /healthz, which says 200 or 503; it may take its time.
        flag: the setting that the address came from.

    Raises:
        BindError: the address is taken or not this machine's.
    """

    def __init__(
        self, address: Address, registry: CollectorRegistry, health: Callable[[], Health], *, flag: str = "http"
    ) -> None:
        self._metrics = make_wsgi_app(registry)
        self._health = health
        host = address.host.strip("[]")
        kind = _Ipv6Server if ":" in host else ThreadingWSGIServer
        try:
            self._server: WSGIServer = make_server(host, address.port, self._answer, kind, _Quiet)
        except (OSError, OverflowError) as error:
            raise BindError(f"metrics cannot be served on {address}: {error}; choose another --{flag}") from error
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
            health = self._health()
            status, body = "200 OK" if health.well else "503 Service Unavailable", f"{health.why}\n".encode()
        else:
            status, body = "404 Not Found", b"there is /metrics and /healthz\n"
        start_response(status, [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))])
        return [body]
