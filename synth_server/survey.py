"""Several workers asked over gRPC, at the same time: what each offers and does, or why it does not answer."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from pairstream.address import Address
from pairstream.credentials import TlsClient
from pairstream.grpc_channel import open_channel, trouble
from pairstream.v1 import worker_pb2, worker_pb2_grpc


@dataclass(frozen=True, kw_only=True)
class Report:
    """What one worker said."""

    address: str
    health: str
    offer: worker_pb2.DescribeResponse
    status: worker_pb2.StatusResponse

    @property
    def state(self) -> str:
        """In a word or two."""
        return "draining" if self.status.draining else "ready" if self.health == "SERVING" else "not ready"


@dataclass(frozen=True, kw_only=True)
class Silence:
    """A worker that did not answer."""

    address: str
    reason: str
    state: str = "down"


def survey(addresses: Sequence[Address], timeout: float, tls: TlsClient | None = None) -> list[Report | Silence]:
    """Ask them all; it takes no longer than `timeout` seconds for each of three questions.

    Args:
        addresses: of their gRPC services.
        timeout: seconds that an answer may take.
        tls: the identities by which both ends are known; None if nothing is encrypted.
    """
    with ThreadPoolExecutor(max_workers=min(32, len(addresses))) as pool:
        return list(pool.map(lambda address: _ask(address, timeout, tls), addresses))


def _ask(address: Address, timeout: float, tls: TlsClient | None) -> Report | Silence:
    with open_channel(str(address), tls) as channel:
        worker = worker_pb2_grpc.WorkerStub(channel)
        health = health_pb2_grpc.HealthStub(channel)
        try:
            return Report(
                address=str(address),
                health=_name(health.Check(health_pb2.HealthCheckRequest(), timeout=timeout)),
                offer=worker.Describe(worker_pb2.DescribeRequest(), timeout=timeout),
                status=worker.Status(worker_pb2.StatusRequest(), timeout=timeout),
            )
        except grpc.RpcError as error:
            return Silence(address=str(address), reason=_reason(address, timeout, error, tls=tls is not None))


def _name(answer: health_pb2.HealthCheckResponse) -> str:
    return str(health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status))


def _reason(address: Address, timeout: float, error: grpc.RpcError, *, tls: bool) -> str:
    code = error.code() if isinstance(error, grpc.Call) else grpc.StatusCode.UNKNOWN
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return f"{address} did not answer within {timeout} s; raise --timeout, or see its log"
    details = error.details() if isinstance(error, grpc.Call) else str(error)
    return (
        f"no worker answers gRPC at {address} ({code.name}): {trouble(details, tls=tls)}; start one with "
        "`synth-server serve`, or give the address that it printed after `grpc`"
    )
