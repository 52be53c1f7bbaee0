"""Which sinks a run has: journal and TensorBoard always, progress and Prometheus port when asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

from trainer.config import FitSettings
from trainer.journal import Journal
from trainer.metrics import ServedMetrics
from trainer.plan import Plan
from trainer.progress import progress
from trainer.records import Sink
from trainer.run_folder import RunFolder
from trainer.tensorboard import TensorBoard


@contextmanager
def open_sinks(folder: RunFolder, plan: Plan, settings: FitSettings, done: int) -> Iterator[list[Sink]]:
    """The sinks of a session that starts after `done` steps, closed when it ends, well or not.

    Raises:
        BindError: the metrics' port cannot be had.
    """
    with ExitStack() as stack:
        sinks = []
        for open_sink in _wanted(folder, plan, settings, done):
            sinks.append(open_sink())
            stack.callback(sinks[-1].close)
        yield sinks


def _wanted(folder: RunFolder, plan: Plan, settings: FitSettings, done: int) -> Iterator[Callable[[], Sink]]:
    if settings.metrics_port is not None:
        yield partial(ServedMetrics, settings.experiment, settings.metrics_host, settings.metrics_port)
    yield partial(Journal, folder.metrics, upto=done)
    yield partial(TensorBoard, folder.tensorboard, plan.spec.sample_rate, upto=done)
    if not settings.quiet:
        yield partial(progress, plan.recipe.max_steps, upto=done)
