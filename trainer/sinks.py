"""Which sinks a run has: journal and TensorBoard always, progress and Prometheus port when asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

from pairstream.stats import ClientStats
from trainer.config import FitSettings
from trainer.journal import Journal
from trainer.metrics import ServedMetrics
from trainer.plan import Plan
from trainer.progress import progress
from trainer.records import Sink
from trainer.run_folder import RunFolder
from trainer.tensorboard import TensorBoard


@contextmanager
def open_sinks(
    folder: RunFolder, plan: Plan, settings: FitSettings, done: int, client: Callable[[], ClientStats | None]
) -> Iterator[list[Sink]]:
    """The sinks of a session that starts after `done` steps, closed when it ends, well or not.

    `client` gives what the stream's client has measured.

    Raises:
        BindError: the metrics' port cannot be had.
    """
    with ExitStack() as stack:
        sinks = []
        for open_sink in _wanted(folder, plan, settings, done, client):
            sinks.append(open_sink())
            stack.callback(sinks[-1].close)
        yield sinks


def _wanted(
    folder: RunFolder, plan: Plan, settings: FitSettings, done: int, client: Callable[[], ClientStats | None]
) -> Iterator[Callable[[], Sink]]:
    if settings.metrics_port is not None:
        yield partial(ServedMetrics, settings.experiment, settings.metrics_host, settings.metrics_port, client)
    yield partial(Journal, folder.metrics, upto=done)
    yield partial(TensorBoard, folder.tensorboard, plan.recipe.frontend, upto=done)
    if not settings.quiet:
        yield partial(progress, plan.recipe.max_steps, upto=done)
