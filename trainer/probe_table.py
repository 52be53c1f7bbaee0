"""How a ProbeTable is shown: on a terminal of 80 columns, and in Markdown."""

from __future__ import annotations

from rich import box
from rich.table import Table

from trainer.probe import REPRESENTATIONS, ProbeRow, ProbeTable


def for_terminal(table: ProbeTable) -> Table:
    """A rich table; the best of each row is bold."""
    shown = Table(title=_title(table), title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    shown.add_column("recordings", no_wrap=True)
    for name in ("chance", *REPRESENTATIONS):
        shown.add_column(name.replace(" ", "\n"), justify="right", no_wrap=True)
    for row in table.rows:
        about = f"{row.data}\n[dim]{row.clips} clips, {row.protocol}[/dim]"
        shown.add_row(about, f"{row.chance:.3f}", *_accuracies(row, "[bold]{}[/bold]"))
    return shown


def markdown(table: ProbeTable) -> str:
    """The same as Markdown."""
    header = ("recordings", "evaluation", "chance", *REPRESENTATIONS)
    lines = [header, ("---",) * len(header)]
    for row in table.rows:
        about = f"{row.clips} clips, {row.classes} classes, {row.protocol}"
        lines.append((row.data, about, f"{row.chance:.3f}", *_accuracies(row, "**{}**")))
    return _title(table) + "\n\n" + "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _title(table: ProbeTable) -> str:
    return f"Accuracy of linear probes (logistic regression, C = {table.c:g}) on frozen features: {table.checkpoint}"


def _accuracies(row: ProbeRow, best: str) -> tuple[str, ...]:
    values = [row.accuracy[name] for name in REPRESENTATIONS]
    return tuple(best.format(f"{value:.3f}") if value == max(values) else f"{value:.3f}" for value in values)
