"""Which sinks a run has: journal and TensorBoard always, progress and Prometheus port when asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

from trainer.config import FitSettings
from trainer.data import StreamData
from trainer.health import health
from trainer.journal import Journal
from trainer.metrics import ServedMetrics
from trainer.plan import Plan
from trainer.progress import progress
from trainer.records import Sink
from trainer.run_folder import RunFolder
from trainer.tensorboard import TensorBoard


@contextmanager
def open_sinks(
    folder: RunFolder, plan: Plan, settings: FitSettings, done: int, data: StreamData
) -> Iterator[list[Sink]]:
    """The sinks of a session that starts after `done` steps, closed when it ends, well or not.

    `data` knows what the stream's client has measured, and when the last step was.

    Raises:
        BindError: the metrics' port cannot be had.
    """
    with ExitStack() as stack:
        sinks = []
        for open_sink in _wanted(folder, plan, settings, done, data):
            sinks.append(open_sink())
            stack.callback(sinks[-1].close)
        yield sinks


def _wanted(
    folder: RunFolder, plan: Plan, settings: FitSettings, done: int, data: StreamData
) -> Iterator[Callable[[], Sink]]:
    if settings.metrics_port is not None:
        where = (settings.metrics_host, settings.metrics_port)
        yield partial(
            ServedMetrics,
            settings.experiment,
            *where,
            data.client_stats,
            health=partial(health, data.meter, settings.timeout),
            digest=plan.spec.digest,
            before=lambda: data.meter.before,
        )
    yield partial(Journal, folder.metrics, upto=done)
    yield partial(TensorBoard, folder.tensorboard, plan.recipe.frontend, upto=done)
    if not settings.quiet:
        yield partial(progress, plan.recipe.max_steps, upto=done, form=settings.log_format, learned_from=str(plan.data))
