"""Accuracy over steps and over δ: a panel per folder of recordings, a line per experiment and layer.

Bars and grey bands are 95 % intervals, as the tables have them; grey lines are the baselines.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.axes import Axes

from trainer.figures.series import Series
from trainer.figures.style import GREY, bars, colour, legend_below, mark, panels, save
from trainer.probes.report import ProbeReport


@dataclass(frozen=True)
class Along:
    """An axis that accuracy is shown over."""

    setting: str
    says: str
    logarithmic: bool
    file: str


STEPS = Along("step", "optimiser steps", logarithmic=False, file="steps")
DELTA = Along("spec.delta", "δ (standard deviation)", logarithmic=True, file="delta")


def draw_along(along: Along, probe: str, series: Sequence[Series], report: ProbeReport, folder: Path) -> Path:
    """One PNG with all series of a probe."""
    figure, axes = panels(len(report.data))
    names = list(dict.fromkeys((one.name, one.layer) for one in series))
    for data, panel in zip(report.data, axes, strict=True):
        _baselines(panel, probe, data.name, report)
        for one in (found for found in series if found.data == data.name):
            number = names.index((one.name, one.layer))
            line = "-" if one.layer == "pooled" else "--"
            look = {"color": colour(number), "marker": mark(number), "linestyle": line}
            xs = _beside(one.xs, number - (len(names) - 1) / 2, along)
            bars(panel, xs, one.estimates, label=f"{one.name}, {one.layer}", **look)
        panel.set_title(f"{data.name} (chance {data.chance:.2f})")
        panel.set_xlabel(along.says)
        if along.logarithmic:
            _ticks_where_points_are(panel, sorted({x for one in series for x in one.xs}))
    axes[0].set_ylim(0.0, min(1.0, 0.1 + _highest(probe, series, report)))
    axes[0].set_ylabel(f"accuracy, {probe} probe")
    legend_below(figure, axes[0])
    return save(figure, folder / f"{along.file}-{probe}.png")


def _highest(probe: str, series: Sequence[Series], report: ProbeReport) -> float:
    shown = [estimate.mean for one in series for estimate in one.estimates]
    lines = [
        report.cell(probe, row, data.name).mean
        for data in report.data
        for row, _ in _baseline_rows(probe, data.name, report)
    ]
    return max(shown + lines)


def _beside(xs: Sequence[float], place: float, along: Along) -> list[float]:
    """A little to the side, so that intervals at the same value do not hide each other."""
    if along.logarithmic:
        return [x * 1.02**place for x in xs]
    return [x + 0.008 * place * (xs[-1] - xs[0]) for x in xs]


def _baselines(panel: Axes, probe: str, data: str, report: ProbeReport) -> None:
    """log-mel and the untrained encoders, as level lines; of several untrained layers the better one."""
    for row, style in _baseline_rows(probe, data, report):
        cell = report.cell(probe, row, data)
        panel.axhline(cell.mean, color=GREY, linestyle=style, linewidth=1.1, label=row.partition(",")[0])
        panel.axhspan(cell.low, cell.high, color=GREY, alpha=0.12, linewidth=0)


def _baseline_rows(probe: str, data: str, report: ProbeReport) -> list[tuple[str, str]]:
    untrained = [row for row in report.rows if row.startswith("untrained")]
    best = sorted(untrained, key=lambda row: -report.cell(probe, row, data).mean)[:1]
    return [("log-mel", ":"), *((row, "-.") for row in best)]


def _ticks_where_points_are(panel: Axes, xs: Sequence[float]) -> None:
    panel.set_xscale("log")
    panel.set_xticks(xs, [f"{x:g}" for x in xs])
    panel.minorticks_off()
