"""`trainer runs`: a table of the runs below a folder."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape

from pairstream.console import complain
from pairstream.errors import CheckpointError
from trainer.config import RunsSettings
from trainer.runs import find_runs, for_terminal


def run(settings: RunsSettings) -> int:
    """Show them; a folder without any is said to be one. Those that cannot be read are named, and make it a failure."""
    runs, unreadable = find_runs(settings.folder)
    if runs or not unreadable:
        Console().print(for_terminal(runs) if runs else escape(f"there is no run in {settings.folder}"))
    for error in unreadable:
        complain("trainer", error)
    return CheckpointError.exit_code if unreadable else 0
