"""What a worker offers, as the message that Describe answers with."""

from __future__ import annotations

from pairstream.header import VERSION
from pairstream.v1 import worker_pb2
from pairstream.version import version
from synth_server.engines import ENGINES
from synth_server.limits import Limits
from synth_server.patches import PATCHES, Patch, load_patch


def describe(limits: Limits, data_url: str) -> worker_pb2.DescribeResponse:
    """The synths with their parameters in the order of theta, the engines, and the limits."""
    return worker_pb2.DescribeResponse(
        version=version(),
        protocol=VERSION,
        data_url=data_url,
        synths=[_synth(name, load_patch(name)) for name in PATCHES],
        engines=list(ENGINES),
        limits=worker_pb2.Limits(
            block_bytes=limits.block_bytes,
            seconds=limits.seconds,
            samples=limits.samples,
            asks_per_client=limits.asks_per_client,
        ),
    )


def _synth(name: str, patch: Patch) -> worker_pb2.Synth:
    return worker_pb2.Synth(
        name=name,
        parameters=[
            worker_pb2.Parameter(
                module=parameter.module,
                name=parameter.name,
                minimum=parameter.minimum,
                maximum=parameter.maximum,
                curve=parameter.curve,
                symmetric=parameter.symmetric,
                unit=parameter.unit,
                group=parameter.group,
            )
            for parameter in patch.parameters
        ],
    )
