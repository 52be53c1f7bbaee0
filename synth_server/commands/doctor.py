"""`synth-server doctor`: is this installation sound, and if not, what cures it. The checks are in `diagnosis.py`."""

from __future__ import annotations

import json
from dataclasses import asdict

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from synth_server.config import DoctorSettings
from synth_server.diagnosis import CHECKS, Finding

_COLOURS = {"ok": "green", "note": "yellow", "bad": "red"}


def run(settings: DoctorSettings) -> int:
    """Print all findings; 1 if any is bad."""
    findings = [finding for check in CHECKS for finding in check()]
    if settings.json:
        print(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        Console().print(_table(findings))
    return int(any(finding.verdict == "bad" for finding in findings))


def _table(findings: list[Finding]) -> Table:
    table = Table(title="synth-server doctor", title_justify="left")
    for column in ("check", "", "found", "what to do"):
        table.add_column(column)
    for finding in findings:
        colour = _COLOURS[finding.verdict]
        table.add_row(finding.check, f"[{colour}]{finding.verdict}[/]", escape(finding.found), escape(finding.cure))
    return table
