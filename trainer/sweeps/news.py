"""News of a sweep: a bar for each run that trains and one for all on a terminal, a line per event in a log."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from trainer.sweeps.job import Job, Outcome


class News:
    """Tells standard error of `total` runs, of which `done` were finished before."""

    def __init__(self, total: int, done: int = 0) -> None:
        self._console = Console(stderr=True)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._bars = Progress(*columns, console=self._console, disable=not self._console.is_terminal)
        self._all = self._bars.add_task("runs", total=total, completed=done)
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def goes_on(self, job: Job) -> None:
        """Where a run is."""
        name = job.experiment.name
        if name not in self._tasks:
            self._tasks[name] = self._bars.add_task(name, total=job.experiment.plan.recipe.max_steps)
            self._line(f"{name}: {'another process trains it; waiting' if job.waits else 'training'}")
        self._bars.update(self._tasks[name], completed=job.step)

    def ended(self, outcome: Outcome) -> None:
        """How a run ended."""
        name = outcome.experiment.name
        if name in self._tasks:
            self._bars.remove_task(self._tasks.pop(name))
        self._bars.advance(self._all)
        self._line(f"{name}: {outcome.reason or 'finished'}")

    def _line(self, text: str) -> None:
        self._console.print(text, highlight=False, soft_wrap=True, markup=False)
