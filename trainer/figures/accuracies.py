"""All accuracies of a probe at a glance: a panel per folder of recordings, a row per representation."""

from __future__ import annotations

from pathlib import Path

from trainer.figures.style import GREY, colour, panels, save
from trainer.probes.report import ProbeReport


def draw_accuracies(probe: str, report: ProbeReport, folder: Path) -> Path:
    """One PNG: points with 95 % intervals; baselines are grey, chance is a dotted line."""
    rows = report.rows
    figure, axes = panels(len(report.data), width=2.1, height=0.22 * len(rows) + 0.6)
    for data, panel in zip(report.data, axes, strict=True):
        for place, row in enumerate(reversed(rows)):
            cell = report.cell(probe, row, data.name)
            look = GREY if row.startswith(("log-mel", "untrained")) else colour(0)
            reach = [[max(0.0, cell.mean - cell.low)], [max(0.0, cell.high - cell.mean)]]
            panel.errorbar([cell.mean], [place], xerr=reach, color=look, marker="o", linestyle="none")
        panel.axvline(data.chance, color=GREY, linestyle=":", linewidth=1.1)
        panel.set_title(data.name)
        panel.set_yticks(range(len(rows)), list(reversed(rows)))
        panel.set_xlim(0.0, 1.0)
    figure.supxlabel(f"accuracy, {probe} probe, with 95 % interval; dotted: chance", fontsize=9)
    return save(figure, folder / f"accuracy-{probe}.png")
