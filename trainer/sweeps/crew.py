"""The crew: all runs of a sweep, so many at once; until they are done, or until it is told to stop."""

from __future__ import annotations

import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any

from trainer.sweeps.job import Job, Outcome
from trainer.sweeps.news import News

#: Seconds between two looks at the runs.
LOOK = 0.5


def run_all(jobs: Sequence[Callable[[], Job]], at_once: int, news: News, patience: float) -> tuple[list[Outcome], bool]:
    """How every job that was begun ended, and whether SIGINT or SIGTERM stopped the rest.

    When stopped, the runs are asked to end and given `patience` seconds for their checkpoints.
    """
    waiting, running, ended = deque(jobs), list[Job](), list[Outcome]()
    with _stopping() as stopped:
        try:
            while (waiting or running) and not stopped.is_set():
                while waiting and len(running) < at_once:
                    running.append(waiting.popleft()())
                ended += _look(running, news)
                stopped.wait(LOOK if running else 0.0)
            return ended + _end(running, news, patience), stopped.is_set()
        finally:
            for job in running:
                job.kill()
                job.close()


def _look(running: list[Job], news: News) -> list[Outcome]:
    """Poll all; those that ended leave `running`."""
    ended = []
    for job in list(running):
        outcome = job.poll()
        if outcome is None:
            news.goes_on(job)
        else:
            running.remove(job)
            news.ended(outcome)
            ended.append(outcome)
    return ended


def _end(running: list[Job], news: News, patience: float) -> list[Outcome]:
    """Ask all that are left to end, and wait for it."""
    running[:] = [job for job in running if not _left_alone(job)]
    for job in running:
        job.terminate()
    ended: list[Outcome] = []
    deadline = time.monotonic() + patience
    while running and time.monotonic() < deadline:
        ended += _look(running, news)
        time.sleep(0.05 if running else 0.0)
    return ended


def _left_alone(job: Job) -> bool:
    """A run of another process is not ours to end."""
    if job.waits:
        job.close()
    return job.waits


@contextmanager
def _stopping() -> Iterator[threading.Event]:
    """An event that SIGINT and SIGTERM set, in the main thread; a second signal of a kind has its usual effect."""
    stopped = threading.Event()

    def catch(number: int, frame: FrameType | None) -> None:
        stopped.set()
        signal.signal(number, before[number])

    before: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():
        before = {number: signal.signal(number, catch) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
