"""`synth-server status`: what a worker offers and does, asked over gRPC."""

from __future__ import annotations

import json
import os
from typing import Any

os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # its C++ core would log beside the error that we raise

import grpc
from google.protobuf.json_format import MessageToDict
from grpc_health.v1 import health_pb2, health_pb2_grpc
from rich.console import Console
from rich.table import Table

from pairstream.address import Address
from pairstream.credentials import Credentials
from pairstream.errors import StreamTimeoutError, WorkerUnavailableError
from pairstream.grpc_channel import open_channel, trouble
from pairstream.v1 import worker_pb2, worker_pb2_grpc
from synth_server.config import StatusSettings
from synth_server.limits import MIB


def run(settings: StatusSettings) -> int:
    """Print what the worker says; 0 if it is ready, 1 if it answers but is not."""
    health, description, status = _ask(settings)
    if settings.json:
        answer = {"health": health, "describe": _plain(description), "status": _plain(status)}
        print(json.dumps(answer, indent=2))
    else:
        state = "draining" if status.draining else "ready" if health == "SERVING" else "not ready"
        window = f"window {status.window_bytes // MIB} of {status.window_limit_bytes // MIB} MiB"
        console = Console()
        console.print(f"worker {settings.worker}: {state}, up {status.uptime_seconds:.0f} s, {window}")
        console.print(_offer(description))
        console.print(_doing(status) if status.streams else "no stream was opened yet")
    return 0 if health == "SERVING" else 1


def _ask(settings: StatusSettings) -> tuple[str, worker_pb2.DescribeResponse, worker_pb2.StatusResponse]:
    address = Address.parse(settings.worker, flag="worker")
    tls = Credentials.from_environment().tls
    with open_channel(str(address), tls) as channel:
        try:
            health = health_pb2_grpc.HealthStub(channel).Check(
                health_pb2.HealthCheckRequest(), timeout=settings.timeout
            )
            stub = worker_pb2_grpc.WorkerStub(channel)
            description = stub.Describe(worker_pb2.DescribeRequest(), timeout=settings.timeout)
            status = stub.Status(worker_pb2.StatusRequest(), timeout=settings.timeout)
        except grpc.RpcError as error:
            raise _explained(address, settings.timeout, error, tls=tls is not None) from error
    return health_pb2.HealthCheckResponse.ServingStatus.Name(health.status), description, status


def _explained(
    address: Address, timeout: float, error: grpc.RpcError, *, tls: bool
) -> WorkerUnavailableError | StreamTimeoutError:
    code = error.code() if isinstance(error, grpc.Call) else grpc.StatusCode.UNKNOWN
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return StreamTimeoutError(f"{address} did not answer within {timeout} s; raise --timeout, or see its log")
    details = error.details() if isinstance(error, grpc.Call) else str(error)
    return WorkerUnavailableError(
        f"no worker answers gRPC at {address} ({code.name}): {trouble(details, tls=tls)}; start one with "
        "`synth-server serve`, or give the address that it printed after `grpc`"
    )


def _plain(message: Any) -> dict[str, Any]:
    return MessageToDict(message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)


def _offer(description: worker_pb2.DescribeResponse) -> Table:
    limits = description.limits
    table = Table(box=None, show_header=False)
    table.add_row("pairs at", description.data_url)
    table.add_row("synths", ", ".join(f"{synth.name} ({len(synth.parameters)})" for synth in description.synths))
    table.add_row("engines", ", ".join(description.engines))
    table.add_row(
        "limits",
        f"{limits.block_bytes // MIB} MiB a block, {limits.seconds:g} s, {limits.samples:,} samples a sound, "
        f"{limits.asks_per_client} blocks asked for at once",
    )
    table.add_row("version", f"{description.version}, protocol {description.protocol}")
    return table


def _doing(status: worker_pb2.StatusResponse) -> Table:
    table = Table()
    for column in ("stream", "experiment"):
        table.add_column(column)
    for column in ("rendered", "served", "last index", "waiting"):
        table.add_column(column, justify="right")
    for stream in status.streams:
        counts = (str(stream.blocks_rendered), str(stream.blocks_served))
        table.add_row(stream.digest[:12], "all", *counts, "", "")
        for entry in (entry for entry in status.experiments if entry.digest == stream.digest):
            table.add_row("", entry.name, "", str(entry.blocks_served), str(entry.last_index), str(entry.waiting))
    return table
