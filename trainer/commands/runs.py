"""`trainer runs`: a table of the runs below a folder."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape

from trainer.config import RunsSettings
from trainer.runs import find_runs, for_terminal


def run(settings: RunsSettings) -> None:
    """Show them; a folder without any is said to be one."""
    runs = find_runs(settings.folder)
    Console().print(for_terminal(runs) if runs else escape(f"there is no run in {settings.folder}"))
