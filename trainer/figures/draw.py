"""draw: whatever figures there is something to show in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from matplotlib import rc_context

from trainer.figures.accuracies import draw_accuracies
from trainer.figures.alignment import draw_alignment, run_of
from trainer.figures.along import DELTA, STEPS, draw_along
from trainer.figures.map import draw_map
from trainer.figures.series import series_along
from trainer.figures.style import STYLE
from trainer.probe_settings import Projection
from trainer.probes.cache import Cache
from trainer.probes.measure import Scored
from trainer.probes.probe import Vectors
from trainer.probes.report import ProbeReport
from trainer.probes.rows import rows_of

#: Panels of a map, at most: baselines first, then the experiments in order.
MOST_PANELS = 8


def draw(report: ProbeReport, scored: Sequence[Scored], cache: Cache, how: Projection, folder: Path) -> list[Path]:
    """Accuracies, accuracy over steps and over δ, alignment against uniformity, and maps: the files."""
    with rc_context(STYLE):
        return list(_drawn(report, scored, cache, how, folder))


def _drawn(
    report: ProbeReport, scored: Sequence[Scored], cache: Cache, how: Projection, folder: Path
) -> Iterator[Path]:
    for probe in report.probes:
        yield draw_accuracies(probe, report, folder)
        for along in (STEPS, DELTA):
            series = [one for one in series_along(along.setting, report, scored) if one.probe == probe]
            if series:
                yield draw_along(along, probe, series, report, folder)
    if (path := draw_alignment(_runs(scored), folder)) is not None:
        yield path
    for data in {one.embedded.recordings.name: one.embedded.recordings for one in scored}.values():
        yield draw_map(data, _representations(data.name, scored, cache), how, folder)


def _runs(scored: Sequence[Scored]) -> list[tuple[str, Path]]:
    """(name, run folder) of every run that was probed, each once however many of its checkpoints were."""
    subjects = [replace(one.embedded.subject, step=None) for one in scored if one.embedded.subject.trained]
    named = zip(rows_of(subjects), subjects, strict=True)
    return list(dict.fromkeys((name, run_of(Path(subject.source))) for name, subject in named))


def _representations(data: str, scored: Sequence[Scored], cache: Cache) -> list[tuple[str, Vectors]]:
    """The first run of each row, at the first layer that was probed."""
    found: dict[str, Vectors] = {}
    for row, one in zip(rows_of([one.embedded.subject for one in scored]), scored, strict=True):
        if one.embedded.recordings.name == data and row not in found and len(found) < MOST_PANELS:
            found[row] = np.asarray(cache.need(one.embedded.name))
    return list(found.items())
