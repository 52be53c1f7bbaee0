"""`synth-server status`: what workers offer and do, asked over gRPC."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any

from google.protobuf.json_format import MessageToDict
from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from pairstream.credentials import Credentials
from pairstream.errors import WorkerUnavailableError
from pairstream.v1 import worker_pb2
from synth_server.config import StatusSettings
from synth_server.limits import MIB
from synth_server.overview import overview
from synth_server.survey import Report, Silence, survey


def run(settings: StatusSettings) -> int:
    """Print what the workers say; 0 if one is ready, 1 if some answer but none is.

    Raises:
        WorkerUnavailableError: none answers.
    """
    answers = survey(settings.addresses, settings.timeout, Credentials.from_environment().tls)
    if settings.json:
        print(json.dumps({"workers": [_plain(answer) for answer in answers]}, indent=2))
    elif settings.watch:
        answers = _watch(settings, answers)
    else:
        console = Console()
        console.print(overview(answers))
        reports = [answer for answer in answers if isinstance(answer, Report)]
        if len(answers) == 1 and reports:
            console.print(_offer(reports[0].offer))
    return _verdict(answers)


def _watch(settings: StatusSettings, answers: list[Report | Silence]) -> list[Report | Silence]:
    """Refresh the tables until Ctrl-C; the last answers."""
    tls = Credentials.from_environment().tls
    try:
        with Live(overview(answers), auto_refresh=False) as live:
            while True:
                time.sleep(settings.watch)
                before, answers = answers, survey(settings.addresses, settings.timeout, tls)
                live.update(overview(answers, before), refresh=True)
    except KeyboardInterrupt:
        return answers


def _verdict(answers: Sequence[Report | Silence]) -> int:
    reports = [answer for answer in answers if isinstance(answer, Report)]
    if not reports:
        raise WorkerUnavailableError("; ".join(answer.reason for answer in answers if isinstance(answer, Silence)))
    return 0 if any(report.state == "ready" for report in reports) else 1


def _plain(answer: Report | Silence) -> dict[str, Any]:
    if isinstance(answer, Silence):
        return {"address": answer.address, "error": answer.reason}
    described, status = (
        MessageToDict(message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)
        for message in (answer.offer, answer.status)
    )
    return {"address": answer.address, "health": answer.health, "describe": described, "status": status}


def _offer(description: worker_pb2.DescribeResponse) -> Table:
    limits = description.limits
    table = Table(box=None, show_header=False)
    table.add_row("pairs at", escape(description.data_url))
    if description.upstream:
        table.add_row("relay of", escape(description.upstream))
    else:
        table.add_row("synths", ", ".join(f"{synth.name} ({len(synth.parameters)})" for synth in description.synths))
        table.add_row("engines", ", ".join(description.engines))
    table.add_row(
        "limits",
        f"{limits.block_bytes // MIB} MiB a block, {limits.seconds:g} s, {limits.samples:,} samples a sound, "
        f"{limits.asks_per_client} blocks asked for at once, {limits.clients} clients, {limits.streams} streams",
    )
    table.add_row("version", f"{description.version}, protocol {description.protocol}")
    return table
