"""The worker's gRPC port: Describe and Status (worker.proto), grpc.health.v1, and `grpc_door.py` for blocks."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import Any

os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # its C++ core would log beside the error that we raise

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from pairstream.address import Address
from pairstream.errors import BindError
from pairstream.grpc_wire import CHANNEL_OPTIONS, receive_limit
from pairstream.v1 import worker_pb2, worker_pb2_grpc
from synth_server.dispatcher import Dispatcher
from synth_server.grpc_door import CLIENTS
from synth_server.grpc_lock import GrpcLock, NoGrpcLock
from synth_server.ledger import ExperimentEntry, Ledger, StreamEntry
from synth_server.window import Window

SERVICE = worker_pb2.DESCRIPTOR.services_by_name["Worker"].full_name
#: How often a client may ask whether we are still there, before it counts as an attack.
_PINGS = (("grpc.http2.min_recv_ping_interval_without_data_ms", 1_000), ("grpc.keepalive_permit_without_calls", 1))
_SERVING = health_pb2.HealthCheckResponse.SERVING
_NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


class WorkerService(worker_pb2_grpc.WorkerServicer):
    """Answers Describe and Status.

    Args:
        description: the constant answer to Describe.
        ledger, window: what Status reports of.
        dispatcher: asked who waits.
    """

    def __init__(
        self,
        description: worker_pb2.DescribeResponse,
        ledger: Ledger,
        window: Window,
        dispatcher: Dispatcher,
    ) -> None:
        self.ready = self.draining = False
        self._description = description
        self._ledger = ledger
        self._window = window
        self._dispatcher = dispatcher
        self._began = time.monotonic()

    def Describe(  # noqa: N802 – gRPC's name
        self, request: worker_pb2.DescribeRequest, context: grpc.ServicerContext
    ) -> worker_pb2.DescribeResponse:
        """What this worker offers."""
        return self._description

    def Status(  # noqa: N802 – gRPC's name
        self, request: worker_pb2.StatusRequest, context: grpc.ServicerContext
    ) -> worker_pb2.StatusResponse:
        """What it is doing now."""
        experiments = self._ledger.experiments()
        for entry in experiments:
            entry.waiting = self._dispatcher.waiting(entry.name, entry.digest)
        totals = self._ledger.totals()
        return worker_pb2.StatusResponse(
            uptime_seconds=time.monotonic() - self._began,
            ready=self.ready,
            draining=self.draining,
            window_bytes=self._window.bytes,
            window_limit_bytes=self._window.limit_bytes,
            clients=self._dispatcher.clients,
            queue=self._dispatcher.queue,
            blocks_rendered=totals.blocks_rendered,
            blocks_served=totals.blocks_served,
            capacity=self._dispatcher.capacity,
            upstream=self._description.upstream,
            streams=[worker_pb2.Stream(**_fields(entry)) for entry in self._ledger.streams()],
            experiments=[worker_pb2.Experiment(**_fields(entry)) for entry in experiments],
        )


def _fields(entry: StreamEntry | ExperimentEntry) -> dict[str, Any]:
    fields = asdict(entry)
    del fields["used"]  # it is for the ledger alone
    return fields


class GrpcServer:
    """Serves the services from `start` to `stop`.

    Args:
        address: where; port 0 means any.
        lock: who may come in; None for everybody. It is closed in the end.

    Raises:
        BindError: the address is taken or not this machine's.
    """

    def __init__(self, address: Address, lock: GrpcLock | None = None) -> None:
        self._lock = lock or NoGrpcLock()
        # Each client of the door takes a thread, the other calls share four.
        threads = ThreadPoolExecutor(max_workers=CLIENTS + 4, thread_name_prefix="grpc")
        # Without so_reuseport=0 two workers would share a port, and each would answer half of the calls.
        options = (*CHANNEL_OPTIONS, receive_limit(0), ("grpc.so_reuseport", 0), *_PINGS)
        self._server = grpc.server(threads, interceptors=list(self._lock.interceptors), options=options)
        try:
            port = self._lock.listen(self._server, address)
        except RuntimeError as error:
            reason = "the address is taken, or none of this machine's"  # gRPC does not say which
            raise BindError(f"cannot serve gRPC on {address}: {reason}; choose another --grpc") from error
        self.address = Address(address.host, port)
        self._health = health.HealthServicer()
        self._service: WorkerService | None = None
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        self._set_health(_NOT_SERVING)

    def start(self, service: WorkerService, *handlers: grpc.GenericRpcHandler) -> None:
        """Begin to answer; not yet healthy."""
        self._service = service
        self._server.add_generic_rpc_handlers(handlers)
        worker_pb2_grpc.add_WorkerServicer_to_server(service, self._server)
        self._server.start()

    def set_ready(self) -> None:
        """A block was rendered: healthy from now on."""
        if self._service:
            self._service.ready = True
        self._set_health(_SERVING)

    def set_draining(self) -> None:
        """No longer healthy, but still answering."""
        if self._service:
            self._service.ready, self._service.draining = False, True
        self._set_health(_NOT_SERVING)

    def stop(self) -> None:
        """Stop answering and give the port back."""
        self._lock.close()
        self._server.stop(grace=0.5).wait(timeout=2.0)

    def _set_health(self, status: health_pb2.HealthCheckResponse.ServingStatus) -> None:
        for name in ("", SERVICE):
            self._health.set(name, status)
