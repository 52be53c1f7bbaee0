"""How far a probing is: a bar per part on a terminal, a line per part in a log."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn


class Telling:
    """Tells standard error, or nobody if `quiet`."""

    def __init__(self, quiet: bool = False) -> None:
        self._console = Console(stderr=True, quiet=quiet)

    @contextmanager
    def part(self, what: str, total: int) -> Iterator[Callable[[int], None]]:
        """A part of the work with `total` steps; the function that it gives is told of steps done."""
        if not total:
            yield lambda _: None
        elif self._console.is_terminal:
            with self._bar() as bar:
                task = bar.add_task(what, total=total)
                yield lambda steps: bar.advance(task, steps)
        else:
            self._console.print(f"{what}: {total:,}", markup=False, highlight=False, soft_wrap=True)
            yield lambda _: None

    def _bar(self) -> Progress:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        return Progress(*columns, console=self._console)
