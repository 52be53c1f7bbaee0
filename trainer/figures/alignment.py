"""Alignment against uniformity (Wang & Isola 2020): where runs went, and where they ended.

Both are of the final layer on the batches of the training, as its journal has them; lower is better on both axes.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trainer.figures.style import colour, legend_below, mark, panels, save
from trainer.journal import read_journal
from trainer.run_folder import RunFolder

#: Share of the records, at the end, whose mean is shown as where a run ended: a single batch is noisy.
LAST = 0.1


def draw_alignment(runs: Sequence[tuple[str, Path]], folder: Path) -> Path | None:
    """One PNG of all (row, run folder) that have a journal; None if there is none."""
    paths = [(row, _path(run)) for row, run in runs]
    paths = [(row, path) for row, path in paths if len(path)]
    if not paths:
        return None
    names = list(dict.fromkeys(row for row, _ in paths))
    figure, (panel,) = panels(1, width=4.6, height=3.6)
    for row, path in paths:
        number = names.index(row)
        first = row not in panel.get_legend_handles_labels()[1]
        panel.plot(path[:, 0], path[:, 1], color=colour(number), alpha=0.25, linewidth=0.9)
        end = path[-max(1, round(LAST * len(path))) :].mean(axis=0)
        panel.scatter(
            end[:1],
            end[1:],
            s=45,
            color=colour(number),
            marker=mark(number),
            edgecolors="white",
            label=row if first else "",
        )
    panel.set_xlabel("uniformity, log mean exp(-2 |x - y|²): lower is more even")
    panel.set_ylabel("alignment, mean |x - y|² of pairs: lower is closer")
    legend_below(figure, panel)
    return save(figure, folder / "alignment-uniformity.png")


def run_of(source: Path) -> Path:
    """The run folder that a probed path is or lies in."""
    return source.parent.parent if source.suffix == ".ckpt" else source


def _path(run: Path) -> NDArray[np.float64]:
    """(records, 2): uniformity and alignment; records without them are left out."""
    records = read_journal(RunFolder(run).metrics)
    points = [(record.get("uniformity"), record.get("alignment")) for record in records]
    return np.array([point for point in points if None not in point], dtype=np.float64).reshape(-1, 2)
