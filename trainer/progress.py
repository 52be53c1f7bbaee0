"""How far a training is: a bar on a terminal, a line or an event now and then in a log."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import asdict

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from pairstream import logs
from pairstream.torch import PairBatch
from trainer.records import Sink, StepRecord

_log = logging.getLogger(__name__)

#: Seconds between two lines where there is no terminal.
LINE_SECONDS = 10.0


def progress(max_steps: int, upto: int = 0, form: logs.LogFormat = "text", learned_from: str = "the stream") -> Sink:
    """What suits standard error: it is a terminal, or a reader's, or a machine's."""
    console = Console(stderr=True)
    if form == "text":
        console.print(f"learning from {learned_from}", markup=False, highlight=False, soft_wrap=True)
    if form == "json":
        return ProgressEvents(max_steps, console)
    return ProgressBar(max_steps, upto, console) if console.is_terminal else ProgressLines(max_steps, console)


class ProgressBar:
    """A sink that draws."""

    def __init__(self, max_steps: int, upto: int, console: Console) -> None:
        self._bar = Progress(
            TextColumn("training"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[news]}"),
            TimeRemainingColumn(),
            console=console,
        )
        self._task = self._bar.add_task("training", total=max_steps, completed=upto, news="waiting for the first block")

    def first_batch(self, batch: PairBatch) -> None:
        """The stream flows: start drawing."""
        self._bar.start()

    def record(self, record: StepRecord) -> None:
        """Move the bar."""
        self._bar.update(self._task, completed=record.step, news=_news(record))

    def close(self) -> None:
        """Leave the terminal as it was."""
        self._bar.stop()


class ProgressLines:
    """A sink that writes the first record, the last, and one every `LINE_SECONDS` between them."""

    def __init__(self, max_steps: int, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._max_steps = max_steps
        self._console = console
        self._clock = clock
        self._due = 0.0

    def first_batch(self, batch: PairBatch) -> None:
        """The first record follows soon enough."""

    def record(self, record: StepRecord) -> None:
        """Write a line if one is due."""
        now = self._clock()
        if now >= self._due or record.step == self._max_steps:
            self._due = now + LINE_SECONDS
            self._tell(record)

    def close(self) -> None:
        """Nothing to leave."""

    def _tell(self, record: StepRecord) -> None:
        line = f"step {record.step:,} of {self._max_steps:,}  {_news(record)}"
        self._console.print(line, highlight=False, soft_wrap=True)


class ProgressEvents(ProgressLines):
    """The same as events in the log, each with the whole record."""

    def _tell(self, record: StepRecord) -> None:
        logs.event(_log, "step", max_steps=self._max_steps, **asdict(record))


def _news(record: StepRecord) -> str:
    return f"loss {record.loss:.3f}  {record.pairs_per_second:,.0f} pairs/s  {record.wait_fraction:.0%} waiting"
