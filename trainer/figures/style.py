"""How all figures look: one size of type, colours that everybody can tell apart, thin frames, PNG.

The colours are those of Okabe and Ito (2008), which stay apart under every common colour blindness; beyond seven
the marks differ, too. Figures are made without pyplot, so nothing is global and nothing needs a display.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from pairstream.files import written_whole
from trainer.probes.intervals import Estimate

COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKS: Final = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "*")
GREY: Final = "#8C8C8C"
DOTS_PER_INCH: Final = 150

STYLE: Final[Any] = {
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#E6E6E6",
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "legend.frameon": False,
    "lines.linewidth": 1.4,
    "lines.markersize": 4.5,
    "errorbar.capsize": 2.5,
}


def colour(number: int) -> str:
    """The colour of the series with this number."""
    return COLOURS[number % len(COLOURS)]


def mark(number: int) -> str:
    """The mark of the series with this number."""
    return MARKS[number % len(MARKS)]


def panels(
    count: int, *, width: float = 2.6, height: float = 2.5, columns: int = 5, shared: bool = True
) -> tuple[Figure, list[Axes]]:
    """A figure of `count` panels in rows of at most `columns`, of so many inches each; with one scale if `shared`."""
    across = min(count, columns)
    down = -(-count // across)
    figure = Figure(figsize=(across * width + 0.6, down * height + 0.9), dpi=DOTS_PER_INCH, layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(down, across, squeeze=False, sharey=shared, sharex=shared)
    axes = list(grid.flat)
    for unused in axes[count:]:
        unused.set_axis_off()
    return figure, axes[:count]


def bars(axes: Axes, xs: Sequence[float], estimates: Sequence[Estimate], **look: Any) -> None:
    """A line through means with their 95 % intervals."""
    means = np.array([one.mean for one in estimates])
    reach = np.array([[one.mean - one.low for one in estimates], [one.high - one.mean for one in estimates]])
    axes.errorbar(xs, means, yerr=np.maximum(reach, 0.0), elinewidth=0.9, capsize=2.0, **look)


def legend_below(figure: Figure, axes: Axes) -> None:
    """One legend for all panels, under them."""
    handles, labels = axes.get_legend_handles_labels()
    letters = max((len(label) for label in labels), default=0)
    fit = int(figure.get_figwidth() / (0.6 + 0.085 * letters))
    figure.legend(handles, labels, loc="outside lower center", ncols=max(1, min(fit, len(labels))))


def save(figure: Figure, path: Path) -> Path:
    """Write the PNG, whole or not at all."""
    with written_whole(path) as file:
        figure.savefig(file, format="png")
    return path
