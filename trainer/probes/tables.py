"""How a ProbeReport is shown: on a terminal, and as Markdown. One table per probe, a row per representation."""

from __future__ import annotations

from collections.abc import Iterator

from rich import box
from rich.markup import escape
from rich.table import Table

from trainer.probes.intervals import Estimate
from trainer.probes.report import ProbeReport

FOOT = (
    "± is half of a 95 % interval. Of one run: percentile bootstrap, 1,000 times, over the tested recordings (the "
    "manifest's column `group`, or else clips) and over a probe's seeds or draws. Of several runs that differ in "
    "nothing but their seeds: Student's t over the runs, whose number is in parentheses. Bold: the highest of a column."
)


def for_terminal(report: ProbeReport) -> Iterator[Table]:
    """A rich table per probe; the best of each column is bold."""
    for probe in report.probes:
        table = Table(title=probe, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
        table.add_column("representation", overflow="fold")
        for data in report.data:
            table.add_column(escape(data.name), justify="right", overflow="fold")
        table.add_row("chance", *(f"{data.chance:.3f}" for data in report.data), style="dim")
        for row in report.rows:
            table.add_row(escape(row), *_cells(report, probe, row, "[bold]{}[/bold]"))
        yield table


def markdown(report: ProbeReport) -> str:
    """All tables, what they are of, how the intervals are meant, and the command that makes them again."""
    parts = [_about_data(report)]
    for probe, about in report.probes.items():
        parts += [f"**{probe}**: {about}.", _table(report, probe)]
    parts += [FOOT]
    if report.command:
        parts += [f"Made by:\n\n```\n{report.command}\n```"]
    return "\n\n".join(parts) + "\n"


def _about_data(report: ProbeReport) -> str:
    header = ("recordings", "clips", "tested", "classes", "evaluation", "groups on both sides of a split")
    lines = [
        (data.name, f"{data.clips:,}", f"{data.tested:,}", f"{data.classes}", data.protocol, f"{data.straddling:,}")
        for data in report.data
    ]
    return _rows([header, ("---",) * len(header), *lines])


def _table(report: ProbeReport, probe: str) -> str:
    header = ("representation", *(data.name for data in report.data))
    chance = ("chance", *(f"{data.chance:.3f}" for data in report.data))
    lines = [(row, *_cells(report, probe, row, "**{}**")) for row in report.rows]
    return _rows([header, ("---", *("--:" for _ in report.data)), chance, *lines])


def _rows(lines: list[tuple[str, ...]]) -> str:
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cells(report: ProbeReport, probe: str, row: str, best: str) -> Iterator[str]:
    for data in report.data:
        cell = report.cell(probe, row, data.name)
        highest = max(report.cell(probe, other, data.name).mean for other in report.rows)
        runs = len(report.runs(probe, row, data.name))
        shown = _shown(cell) + (f" ({runs})" if runs > 1 else "")
        yield best.format(shown) if cell.mean == highest else shown


def _shown(cell: Estimate) -> str:
    return f"{cell.mean:.3f} ± {cell.half:.3f}"
