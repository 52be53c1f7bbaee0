"""The worker's decisions: what to answer each message, what to render next, and whom to send it to.

Pure: messages and finished jobs go in, messages and jobs come out. No socket, no clock, no thread;
`serving.py` is the shell around it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from pairstream.block import PairBlock
from pairstream.errors import PairstreamError, StreamTimeoutError, WorkerUnavailableError
from pairstream.messages import Busy, Bye, Failed, Message, Open, Opened, Refused, Want
from pairstream.spec import StreamSpec
from synth_server.ledger import Ledger
from synth_server.limits import Limits
from synth_server.metrics import WorkerMetrics
from synth_server.openings import Openings
from synth_server.pace import Pace
from synth_server.quota import Refusal
from synth_server.roster import Roster
from synth_server.scheduler import ClientId, Scheduler
from synth_server.window import Key, Window

Outbox = list[tuple[ClientId, Message]]


@dataclass(frozen=True)
class OpenJob:
    """Make the source of a stream."""

    spec: StreamSpec


@dataclass(frozen=True)
class RenderJob:
    """Render one block."""

    key: Key


@dataclass(frozen=True)
class ProbeJob:
    """Render a small block that nobody asked for, to see whether that can still be done."""


Job = OpenJob | RenderJob | ProbeJob

#: When a relay whose workers do not answer may be asked again, in seconds.
_UPSTREAM_SECONDS = 1.0


class Dispatcher:
    """Answers clients and hands out jobs. What a method returns is to be sent, in order.

    Every block that is asked for has one answer, if the client stays: the block, `Failed`, or `Busy` at once if more
    would wait than may.

    Args:
        window: the blocks that are still held.
        scheduler: the asks that wait.
        ledger, metrics: counts of what was done.
        limits: how many clients and streams there may be.
        pace: how fast blocks are rendered.

    Attributes:
        capacity: pairs per second; set before the first client is answered, and the same for all.
    """

    def __init__(
        self,
        window: Window,
        scheduler: Scheduler,
        ledger: Ledger,
        metrics: WorkerMetrics,
        *,
        limits: Limits | None = None,
        pace: Pace | None = None,
    ) -> None:
        limits = limits or Limits()
        self.capacity = 1
        self._window = window
        self._scheduler = scheduler
        self._ledger = ledger
        self._metrics = metrics
        self._pace = pace or Pace()
        self._roster = Roster(limits.clients, limits.streams)
        self._openings = Openings()
        self._draining = False
        metrics.watch(scheduler, self._roster, window)

    @property
    def clients(self) -> int:
        """How many clients are here; any thread may ask."""
        return len(self._roster)

    @property
    def queue(self) -> int:
        """How many blocks somebody waits for; any thread may ask."""
        return len(self._scheduler)

    def handle(self, client: ClientId, message: Message) -> Outbox:
        """Answer what a client said."""
        if isinstance(message, Bye):
            self.forget(client)
            return []
        if self._draining:
            return [(client, Bye(reason="draining"))]
        if isinstance(message, Open):
            return self._open(client, message)
        if isinstance(message, Want):
            return self._want(client, message)
        return [(client, Refused(digest="", reason=f"a worker has no use for a {type(message).__name__} message"))]

    def next_job(self) -> Job | None:
        """What to do next, if anything: streams are opened before blocks are rendered."""
        if spec := self._openings.next():
            return OpenJob(spec)
        key = self._scheduler.next()
        return RenderJob(key) if key else None

    def opened(self, job: OpenJob, answer: Opened | PairstreamError) -> Outbox:
        """A stream was opened, or not."""
        digest = job.spec.digest
        clients = self._openings.done(job.spec)
        if isinstance(answer, Opened):
            self._openings.remember(digest, answer.layout.nbytes)
            self._ledger.opened(job.spec, answer.fingerprint)
            answer = replace(answer, capacity=self.capacity, head=self._ledger.head(digest))
            return [(client, answer) for client in clients]
        if _may_pass(answer):
            return [(client, self._later(digest, (), str(answer))) for client in clients]
        self._metrics.refusals.inc(len(clients))
        return [(client, Refused(digest=digest, reason=str(answer))) for client in clients]

    def rendered(self, job: RenderJob, answer: PairBlock | PairstreamError) -> Outbox:
        """A block was rendered, or could not be."""
        digest, index = job.key
        waiting = self._scheduler.done(job.key)
        if isinstance(answer, PairBlock):
            self._window.put(job.key, answer)
            self._ledger.rendered(digest)
            self._metrics.rendered(answer)
            self._serve(answer, waiting.values())
            return [(client, answer) for client in waiting]
        self._metrics.failures.inc()
        if _may_pass(answer):
            return [(client, self._later(digest, (index,), str(answer))) for client in waiting]
        return [(client, Failed(digest=digest, index=index, reason=str(answer))) for client in waiting]

    def forget(self, client: ClientId) -> None:
        """The client left, or cannot be reached any more. What only it waited for is neither opened nor rendered."""
        self._scheduler.forget(client)
        self._roster.leave(client)
        self._openings.forget(client)

    def drain(self) -> Outbox:
        """Take nothing more on, and tell every client to ask elsewhere; nothing has to be handed over."""
        self._draining = True
        return [(client, Bye(reason="draining")) for client in sorted(self._roster)]

    def waiting(self, experiment: str, digest: str) -> int:
        """How many blocks of this stream the experiment waits for."""
        return self._scheduler.waiting(experiment, digest)

    def upcoming(self, digest: str, count: int) -> list[int]:
        """The indices of this stream that are rendered now or soon; any thread may ask."""
        return self._scheduler.upcoming(digest, count)

    def _open(self, client: ClientId, message: Open) -> Outbox:
        try:
            spec = StreamSpec.from_dict(message.spec)
        except PairstreamError as error:
            self._metrics.refusals.inc()
            return [(client, Refused(digest="", reason=str(error)))]
        if full := self._admit(client, spec.digest):
            return [(client, self._shed(spec.digest, (), full))]
        self._openings.ask(client, spec)
        return []

    def _want(self, client: ClientId, message: Want) -> Outbox:
        digest, experiment = message.digest, message.experiment
        nbytes = self._openings.block_bytes(digest)
        if nbytes is None:
            reason = f"stream {digest[:12]} is not open here; send OPEN first"
            return [(client, Failed(digest=digest, index=index, reason=reason)) for index in message.indices]
        if full := self._admit(client, digest):
            return [(client, self._shed(digest, message.indices, full))]
        outbox: Outbox = []
        shed: dict[Refusal, list[int]] = {}
        for index in dict.fromkeys(message.indices):
            key = (digest, index)
            block = self._window.get(key)
            if block is not None:
                self._serve(block, (experiment,), shared=1)
                outbox.append((client, block))
            elif refusal := self._scheduler.ask(client, experiment, key, nbytes):
                shed.setdefault(refusal, []).append(index)
        return outbox + [(client, self._shed(digest, indices, refusal)) for refusal, indices in shed.items()]

    def _admit(self, client: ClientId, digest: str) -> Refusal | None:
        """Room for the client and the stream, or why there is none."""
        return self._roster.admit(client, digest, self._waits)

    def _waits(self, client: ClientId) -> bool:
        return self._scheduler.waits(client) or self._openings.waits(client)

    def _shed(self, digest: str, indices: Sequence[int], refusal: Refusal) -> Busy:
        self._metrics.sheds.labels(refusal.bound).inc(len(indices) or 1)
        seconds = self._pace.retry_seconds(len(self._scheduler))
        return Busy(digest=digest, indices=tuple(indices), retry_seconds=seconds, reason=refusal.reason)

    def _later(self, digest: str, indices: Sequence[int], reason: str) -> Busy:
        return Busy(digest=digest, indices=tuple(indices), retry_seconds=_UPSTREAM_SECONDS, reason=reason)

    def _serve(self, block: PairBlock, experiments: Collection[str], shared: int | None = None) -> None:
        """Note that the block goes to one client of each of these; all but the first share its rendering."""
        self._ledger.served(experiments, block.digest, block.index)
        self._metrics.served(block, len(experiments), len(experiments) - 1 if shared is None else shared)


def _may_pass(error: PairstreamError) -> bool:
    """Whether it is a relay's, whose workers do not answer now."""
    return isinstance(error, StreamTimeoutError | WorkerUnavailableError)
