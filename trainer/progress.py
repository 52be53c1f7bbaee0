"""The progress bar of a training, on a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from pairstream.torch import PairBatch
from trainer.records import StepRecord


class ProgressBar:
    """A sink that draws; silent where standard error is no terminal."""

    def __init__(self, max_steps: int, upto: int = 0, shown: bool = True) -> None:
        console = Console(stderr=True)
        self._bar = Progress(
            TextColumn("training"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[news]}"),
            TimeRemainingColumn(),
            console=console,
            disable=not (shown and console.is_terminal),
        )
        self._task = self._bar.add_task("training", total=max_steps, completed=upto, news="waiting for the first block")

    def first_batch(self, batch: PairBatch) -> None:
        """The stream flows: start drawing."""
        self._bar.start()

    def record(self, record: StepRecord) -> None:
        """Move the bar."""
        news = f"loss {record.loss:.3f}  {record.pairs_per_second:,.0f} pairs/s  {record.wait_fraction:.0%} waiting"
        self._bar.update(self._task, completed=record.step, news=news)

    def close(self) -> None:
        """Leave the terminal as it was."""
        self._bar.stop()
