"""`synth-server bench --engines A B …`: the table of a contest, with ratios."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.progress import track
from rich.table import Table

from synth_server.config import BenchSettings
from synth_server.contest import Result, contest
from synth_server.limits import LOCAL


def run(settings: BenchSettings) -> int:
    """Let the engines play in turn and print what each needed, beside the first of them."""
    LOCAL.check(settings.spec)
    results = contest(
        settings.engines,
        settings.spec,
        sounds=settings.sounds or [32, 128, 768],
        threads=[settings.threads] if settings.threads else [1, 2],
        rounds=settings.blocks,
    )
    terminal = Console(stderr=True)
    heard = list(track(results, "playing", console=terminal, transient=True, disable=not terminal.is_terminal))
    rows = [_row(result, _first(heard, result), settings.spec.seconds) for result in heard]
    if settings.json:
        print(json.dumps({"spec": settings.spec.as_dict(), "results": rows}, indent=2))
    else:
        spec = settings.spec
        title = f"{spec.synth}, sounds of {spec.seconds:g} s at {spec.sample_rate} Hz, medians of {settings.blocks}"
        console = Console()
        console.print(title, _table(rows, settings.engines[0]), sep="\n", highlight=False)
        for reason in sorted({row["skipped"] for row in rows if "skipped" in row}):
            console.print(f"skipped: {reason}", markup=False, highlight=False)
    return 0


def _first(results: Sequence[Result], like: Result) -> Result:
    """The first entrant in the same match."""
    return next(other for other in results if (other.threads, other.sounds) == (like.threads, like.sounds))


def _row(result: Result, first: Result, seconds: float) -> dict[str, Any]:
    row: dict[str, Any] = {"engine": result.entrant, "threads": result.threads, "sounds": result.sounds}
    if result.reason:
        return row | {"skipped": result.reason}
    row |= {"median_seconds": result.median, "realtime": result.sounds * seconds / result.median}
    return row | ({} if first.reason else {"speed_of_first": first.median / result.median})


def _table(rows: Sequence[dict[str, Any]], first: str) -> Table:
    table = Table()
    table.add_column("engine")
    for column in ("threads", "sounds", "ms", "x realtime", f"x {first}"):
        table.add_column(column, justify="right")
    for row in rows:
        known = (row["engine"], str(row["threads"]), str(row["sounds"]))
        if "skipped" in row:
            table.add_row(*known, "skipped", "", "")
        else:
            ratio = f"{row['speed_of_first']:.2f}" if "speed_of_first" in row else ""
            table.add_row(*known, f"{row['median_seconds'] * 1e3:,.2f}", f"{row['realtime']:,.0f}", ratio)
    return table
