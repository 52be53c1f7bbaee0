"""What a worker offers, as the message that Describe answers with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pairstream.header import VERSION
from pairstream.oscillators import OWN
from pairstream.v1 import worker_pb2
from pairstream.version import version
from synth_server.limits import Limits

if TYPE_CHECKING:
    from synth_server.patches import Patch


def describe(limits: Limits, data_url: str, upstream: str = "") -> worker_pb2.DescribeResponse:
    """The synths with their parameters in the order of theta, the engines, and the limits.

    Args:
        limits: what a spec may ask for.
        data_url: where the data path listens.
        upstream: the workers of a relay, which knows no synths of its own; empty for a worker that renders.
    """
    description = worker_pb2.DescribeResponse(
        version=version(),
        protocol=VERSION,
        data_url=data_url,
        upstream=upstream,
        limits=worker_pb2.Limits(
            block_bytes=limits.block_bytes,
            seconds=limits.seconds,
            samples=limits.samples,
            asks_per_client=limits.asks_per_client,
            clients=limits.clients,
            streams=limits.streams,
            oscillators=limits.oscillators,
            layers=limits.layers,
        ),
    )
    if not upstream:
        _add_what_renders(description)
    return description


def _add_what_renders(description: worker_pb2.DescribeResponse) -> None:
    from synth_server.engines import installed_engines  # noqa: PLC0415 – loads numba, which a relay can do without
    from synth_server.patches import PATCHES, load_patch  # noqa: PLC0415

    description.engines.extend(installed_engines())
    description.synths.extend(_synth(name, load_patch(name)) for name in PATCHES)


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
        oscillators=[worker_pb2.Oscillators(kind=kind, number=number) for kind, number in OWN.get(name, {}).items()],
    )
