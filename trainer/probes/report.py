"""ProbeReport: all that was measured, result by result, and what a table shows of it, cell by cell."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from trainer.probes.intervals import Estimate, bootstrap, student
from trainer.probes.measure import Scored
from trainer.probes.rows import rows_of
from trainer.recordings import Recordings


@dataclass(frozen=True, kw_only=True)
class DataSet:
    """A folder of recordings, as far as a reader of the table must know it."""

    name: str
    clips: int
    classes: int
    protocol: str
    tested: int
    """Clips that are tested, each once."""
    straddling: int
    """Recordings (or speakers) with clips on both sides of some split: what a probe could remember."""

    @property
    def chance(self) -> float:
        """Accuracy of a guess."""
        return 1 / self.classes


@dataclass(frozen=True, kw_only=True)
class Result:
    """One layer of one subject on one folder of recordings by one probe."""

    data: str
    probe: str
    row: str
    """What the table calls it: the experiment, and the layer."""
    source: str
    seed: int | None
    step: int | None
    estimate: Estimate
    """Over all tested clips and repeats, with the bootstrap's interval."""
    of_folds: tuple[float, ...]
    of_repeats: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class ProbeReport:
    """Results, in the order of the command line, and what they have in common."""

    command: str
    """What makes this report again."""
    data: tuple[DataSet, ...]
    probes: dict[str, str]
    """What each probe does, by its name."""
    results: tuple[Result, ...]

    @property
    def rows(self) -> list[str]:
        """What the table's rows are called, in order."""
        return list(dict.fromkeys(result.row for result in self.results))

    def runs(self, probe: str, row: str, data: str) -> list[Result]:
        """The results in a cell: one for each run."""
        return [found for found in self.results if (found.probe, found.row, found.data) == (probe, row, data)]

    def cell(self, probe: str, row: str, data: str) -> Estimate:
        """What the table shows: of one run its own estimate, of several their mean with Student's t."""
        return combined(self.runs(probe, row, data))


def combined(results: Iterable[Result]) -> Estimate:
    """One estimate of one or more runs."""
    estimates = [result.estimate for result in results]
    return estimates[0] if len(estimates) == 1 else student(np.array([one.mean for one in estimates]))


def report_of(scored: Sequence[Scored], command: str = "") -> ProbeReport:
    """Put names and intervals to what was measured."""
    subjects = [one.embedded.subject for one in scored]
    sets = {one.embedded.recordings.name: one.embedded.recordings for one in scored}
    return ProbeReport(
        command=command,
        data=tuple(_data_set(recordings) for recordings in sets.values()),
        probes={one.probe.name: one.probe.about for one in scored},
        results=tuple(_result(one, row) for one, row in zip(scored, rows_of(subjects), strict=True)),
    )


def _data_set(recordings: Recordings) -> DataSet:
    straddling = {
        group
        for train, test in recordings.splits()
        for group in np.intersect1d(recordings.groups[train], recordings.groups[test]).tolist()
    }
    return DataSet(
        name=recordings.name,
        clips=len(recordings.files),
        classes=recordings.classes,
        protocol=recordings.protocol,
        tested=int(recordings.tested.sum()),
        straddling=len(straddling),
    )


def _result(scored: Scored, row: str) -> Result:
    subject, recordings, right = scored.embedded.subject, scored.embedded.recordings, scored.right
    tested = recordings.tested
    folds = [test[tested] for _, test in recordings.splits()]
    return Result(
        data=recordings.name,
        probe=scored.probe.name,
        row=f"{row}, {scored.embedded.layer}" if scored.embedded.layer else row,
        source=subject.source,
        seed=subject.seed,
        step=subject.step,
        estimate=bootstrap(right, recordings.groups[tested]),
        of_folds=tuple(float(right[:, fold].mean()) for fold in folds),
        of_repeats=tuple(float(value) for value in right.mean(axis=1)),
    )
