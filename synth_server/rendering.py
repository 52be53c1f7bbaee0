"""The thread that renders: jobs go in, answers come out. It alone touches the sources."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue

from pairstream import logs
from pairstream.block import PairBlock
from pairstream.errors import PairstreamError, RenderError
from pairstream.messages import Opened
from synth_server.capacity import WARM_UP
from synth_server.dispatcher import Job, OpenJob, RenderJob
from synth_server.sources import Sources

_log = logging.getLogger(__name__)

Answer = Opened | PairBlock | PairstreamError


class Rendering:
    """Does jobs one after the other on a thread of its own.

    Args:
        sources: what renders; owned by that thread from now on.
        done: called on that thread whenever there is a new answer.

    Attributes:
        jobs: how many were begun and have not been answered.
    """

    def __init__(self, sources: Sources, done: Callable[[], None]) -> None:
        self.jobs = 0
        self._sources = sources
        self._done = done
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="render")
        self._answers: SimpleQueue[tuple[Job, Answer]] = SimpleQueue()

    def begin(self, job: Job) -> None:
        """Do this after what was begun before."""
        self.jobs += 1
        self._thread.submit(self._run, job)

    def answers(self) -> Iterator[tuple[Job, Answer]]:
        """What was done since the last call."""
        while not self._answers.empty():
            self.jobs -= 1
            yield self._answers.get()

    def call(self, function: Callable[[Sources], None]) -> None:
        """Run something with the sources on that thread, and wait for it."""
        self._thread.submit(function, self._sources).result()

    def close(self, *, wait: bool) -> None:
        """Do nothing more; close the sources, unless a job that will not be waited for still uses them."""
        self._thread.shutdown(wait=wait, cancel_futures=True)
        if wait:
            self._sources.close()

    def _run(self, job: Job) -> None:
        """Do a job; whatever goes wrong becomes an answer."""
        try:
            answer = self._do(job)
        except PairstreamError as error:
            answer = error
        except Exception as error:
            _log.exception("a job failed: %s", job)
            answer = RenderError(f"{type(error).__name__}: {error}")
        self._answers.put((job, answer))
        self._done()

    def _do(self, job: Job) -> Answer:
        if isinstance(job, OpenJob):
            return self._open(job)
        if isinstance(job, RenderJob):
            return self._sources.render(*job.key)
        return self._sources.open(WARM_UP).render(0)

    def _open(self, job: OpenJob) -> Opened:
        known = self._sources.knows(job.spec)
        source = self._sources.open(job.spec)
        if not known:  # whoever follows live says OPEN again every second
            logs.event(_log, "stream opened", digest=job.spec.digest, spec=job.spec.as_dict())
        return Opened(digest=job.spec.digest, layout=source.layout, fingerprint=source.fingerprint)
