"""The worker's decisions: what to answer each message, what to render next, and whom to send it to.

Pure: messages and finished jobs go in, messages and jobs come out. No socket, no clock, no thread;
`serving.py` is the shell around it.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace

from pairstream.block import PairBlock
from pairstream.errors import PairstreamError
from pairstream.messages import Bye, Failed, Message, Open, Opened, Refused, Want
from pairstream.spec import StreamSpec
from synth_server.ledger import Ledger
from synth_server.metrics import WorkerMetrics
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


Job = OpenJob | RenderJob


class Dispatcher:
    """Answers clients and hands out jobs. What a method returns is to be sent, in order."""

    def __init__(self, window: Window, scheduler: Scheduler, ledger: Ledger, metrics: WorkerMetrics) -> None:
        self._window = window
        self._scheduler = scheduler
        self._ledger = ledger
        self.capacity = 1
        """Pairs per second; set before the first client is answered, and the same for all."""
        self._metrics = metrics
        self._opening: OrderedDict[StreamSpec, list[ClientId]] = OrderedDict()
        self._unstarted: list[StreamSpec] = []
        self._clients: set[ClientId] = set()
        self._draining = False

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
        if self._unstarted:
            return OpenJob(self._unstarted.pop(0))
        key = self._scheduler.next()
        return RenderJob(key) if key else None

    def opened(self, job: OpenJob, answer: Opened | PairstreamError) -> Outbox:
        """A stream was opened, or not."""
        clients = self._opening.pop(job.spec, [])
        if isinstance(answer, Opened):
            self._ledger.opened(job.spec, answer.fingerprint)
            answer = replace(answer, capacity=self.capacity, head=self._ledger.head(job.spec.digest))
            return [(client, answer) for client in clients]
        self._metrics.refusals.inc(len(clients))
        return [(client, Refused(digest=job.spec.digest, reason=str(answer))) for client in clients]

    def rendered(self, job: RenderJob, answer: PairBlock | PairstreamError) -> Outbox:
        """A block was rendered, or could not be."""
        digest, index = job.key
        waiting = self._scheduler.done(job.key)
        if isinstance(answer, PairBlock):
            self._window.put(job.key, answer)
            self._ledger.rendered(digest)
            self._metrics.rendered(answer, self._window)
            return [self._serve(client, experiment, answer) for client, experiment in waiting.items()]
        self._metrics.failures.inc()
        return [(client, Failed(digest=digest, index=index, reason=str(answer))) for client in waiting]

    def forget(self, client: ClientId) -> None:
        """The client left, or cannot be reached any more."""
        self._scheduler.forget(client)
        self._clients.discard(client)
        self._metrics.clients.set(len(self._clients))

    def drain(self) -> Outbox:
        """Take nothing more on, and tell every client to ask elsewhere; nothing has to be handed over."""
        self._draining = True
        return [(client, Bye(reason="draining")) for client in sorted(self._clients)]

    def waiting(self, experiment: str, digest: str) -> int:
        """How many blocks of this stream the experiment waits for."""
        return self._scheduler.waiting(experiment, digest)

    def _open(self, client: ClientId, message: Open) -> Outbox:
        self._clients.add(client)
        self._metrics.clients.set(len(self._clients))
        try:
            spec = StreamSpec.from_dict(message.spec)
        except PairstreamError as error:
            self._metrics.refusals.inc()
            return [(client, Refused(digest="", reason=str(error)))]
        if spec not in self._opening:
            self._unstarted.append(spec)
        self._opening.setdefault(spec, []).append(client)
        return []

    def _want(self, client: ClientId, message: Want) -> Outbox:
        outbox: Outbox = []
        for index in message.indices:
            key = (message.digest, index)
            block = self._window.get(key)
            if block is not None:
                outbox.append(self._serve(client, message.experiment, block))
            elif not self._scheduler.ask(client, message.experiment, key):
                limit = self._scheduler.asks_per_client
                reason = f"you wait for {limit} blocks already, the most that one client may; lower the credit"
                outbox.append((client, Failed(digest=message.digest, index=index, reason=reason)))
        self._metrics.queue.set(len(self._scheduler))
        return outbox

    def _serve(self, client: ClientId, experiment: str, block: PairBlock) -> tuple[ClientId, Message]:
        self._ledger.served(experiment, block.digest, block.index)
        self._metrics.served(block)
        return client, block
