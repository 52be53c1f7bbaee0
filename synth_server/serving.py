"""The thread that serves: it moves what doors, dispatcher and rendering thread have for each other.

It alone touches the doors and the dispatcher, so neither needs a lock. It decides nothing but this: a client
that does not read what it asked for is told so, before the worker's memory fills with it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from threading import Event, Thread
from typing import Final

import zmq

from pairstream import logs
from pairstream.block import PairBlock
from pairstream.codec import encode
from pairstream.errors import PairstreamError
from pairstream.messages import Failed, Message, Opened, Refused
from synth_server.bell import Bell
from synth_server.complaints import Complaints
from synth_server.dispatcher import Dispatcher, Job, OpenJob, Outbox, ProbeJob, RenderJob
from synth_server.door import Door, Garbled, Left, Said
from synth_server.door import Event as DoorEvent
from synth_server.limits import MIB
from synth_server.metrics import WorkerMetrics
from synth_server.pulse import Pulse
from synth_server.rendering import Answer, Rendering
from synth_server.scheduler import ClientId

_log = logging.getLogger(__name__)

#: Seconds between looks at who stands before the doors, until the worker serves.
ADMIT_SECONDS: Final = 0.05
#: Jobs with the rendering thread: one in the making, one behind it so that it never idles.
JOBS_AHEAD: Final = 2
#: Seconds that blocks on their way may take to leave when the worker stops.
LINGER_SECONDS: Final = 2.0
#: Seconds that clients have to read the blocks that were in the making when the worker was told to stop: a connection
#: that ends takes with it what its client has not read. And until the worker looks whether they have left.
READING_SECONDS, READING_WAKE_SECONDS = 1.0, 0.05


class Serving:
    """Lets clients in from `start` on, serves them from `open` to `stop`.

    Args:
        doors: the ways in; owned by the serving thread from `start` on, and closed in the end.
        dispatcher: decides; likewise.
        rendering: renders; closed in the end.
        bell: rung by whoever has something for this thread; closed in the end.
        metrics: times and counts.
        pulse: told of every block that was rendered, and asked whether one is wanted for its own sake.
        client_bytes: of blocks that one client was sent and has not taken; beyond that, one block.
        wake_seconds: the longest this thread sleeps.
    """

    def __init__(
        self,
        doors: Sequence[Door],
        dispatcher: Dispatcher,
        rendering: Rendering,
        bell: Bell,
        metrics: WorkerMetrics,
        *,
        pulse: Pulse,
        client_bytes: int,
        wake_seconds: float = 1.0,
    ) -> None:
        self._doors = doors
        self._dispatcher = dispatcher
        self._rendering = rendering
        self._bell = bell
        self._metrics = metrics
        self._pulse = pulse
        self._client_bytes = client_bytes
        self._wake_seconds = wake_seconds
        self._complaints = Complaints()
        self._farewell_said = False
        self._last_words = 0.0
        self._finished = Event()
        self._opened = Event()
        self._drain = Event()
        self._stop = Event()
        self._thread = Thread(target=self._serve, name="serve", daemon=True)
        self._closed = False

    def start(self) -> None:
        """Begin to let clients in; they wait until `open`."""
        self._thread.start()

    def open(self) -> None:
        """Begin to serve."""
        self._opened.set()

    def stop(self, drain_seconds: float) -> bool:
        """Take nothing more on, finish what is in the making, leave; False if that took too long. Idempotent."""
        if self._closed:
            return True
        self._closed = True
        self._drain.set()
        self._bell.ring()
        if self._thread.is_alive():
            self._thread.join(drain_seconds)
        in_time = not self._thread.is_alive() or self._finished.is_set()
        self._stop.set()
        self._bell.ring()
        if self._thread.ident is not None:
            self._thread.join(self._wake_seconds * 2)
        self._rendering.close(wait=in_time)
        for door in self._doors:
            door.close(LINGER_SECONDS)
        self._bell.close()
        return in_time

    def _serve(self) -> None:
        poller = zmq.Poller()
        poller.register(self._bell, zmq.POLLIN)
        for door in self._doors:
            door.register(poller)
        while not (self._opened.wait(ADMIT_SECONDS) or self._drain.is_set()):
            for door in self._doors:
                door.admit()
        while not self._stop.is_set():
            poller.poll(round((READING_WAKE_SECONDS if self._finished.is_set() else self._wake_seconds) * 1_000))
            self._bell.silence()
            for number, door in enumerate(self._doors):
                for event in door.receive():
                    self._hear(number, event)
            for job, answer in self._rendering.answers():
                self._finish(job, answer)
            if not self._drain.is_set():
                self._hand_out()
            elif self._all_said_and_done():
                return

    def _all_said_and_done(self) -> bool:
        """While draining: say good-bye once, wait for blocks in the making, and for clients to read them or leave."""
        if not self._farewell_said:
            self._farewell_said = True
            self._last_words = READING_SECONDS if self._rendering.jobs else 0.0
            self._send(self._dispatcher.drain())
        if self._rendering.jobs:
            return False
        if not self._finished.is_set():
            self._finished.set()
            self._last_words += time.monotonic()
        return not self._dispatcher.clients or time.monotonic() >= self._last_words

    def _hear(self, door: int, event: DoorEvent) -> None:
        client = bytes([door]) + event.client  # two doors may have the same name for two clients
        if isinstance(event, Said):
            self._send(self._dispatcher.handle(client, event.message))
        elif isinstance(event, Garbled):
            self._metrics.malformed.inc()
            name = f"{client.hex()} at {event.address}"
            self._complain(event.address.encode(), "client %s sent %s", name, event.error)
            if self._complaints.answer(client):
                self._send([(client, Refused(digest="", reason=f"you sent {event.error}"))])
        elif isinstance(event, Left):
            self._forget(client, event.reason)
            self._complaints.forget(client)

    def _hand_out(self) -> None:
        while self._rendering.jobs < JOBS_AHEAD and (job := self._dispatcher.next_job()):
            self._rendering.begin(job)
        if not self._rendering.jobs and self._pulse.probe_wanted():  # one in the making answers the question, too
            self._rendering.begin(ProbeJob())

    def _finish(self, job: Job, answer: Answer) -> None:
        if isinstance(answer, PairBlock):
            self._pulse.beat()
        if isinstance(job, OpenJob) and not isinstance(answer, PairBlock):
            self._send(self._dispatcher.opened(job, answer))
        elif isinstance(job, RenderJob) and not isinstance(answer, Opened):
            self._send(self._dispatcher.rendered(job, answer))
        elif isinstance(answer, PairstreamError):
            _log.warning("a block that was rendered to see whether that can be done: %s", answer)

    def _send(self, outbox: Outbox) -> None:
        gone: set[ClientId] = set()
        for client, message in outbox:
            if client in gone:
                continue
            door, name = self._doors[client[0]], client[1:]
            began = time.perf_counter()
            frames = encode(self._affordable(client, message))
            encoded = time.perf_counter()
            if trouble := door.send(name, frames):
                gone.add(client)
                self._forget(client, trouble)
            if isinstance(message, PairBlock):
                self._metrics.observe("encode", encoded - began)
                self._metrics.observe("send", time.perf_counter() - encoded)

    def _affordable(self, client: ClientId, message: Message) -> Message:
        """The message, or if it is a block and the client has not read many others, a refusal of it."""
        if not isinstance(message, PairBlock):
            return message
        waiting = self._doors[client[0]].backlog(client[1:])
        if not waiting or waiting + message.nbytes <= self._client_bytes:
            return message
        self._metrics.sheds.labels("unread").inc()
        self._complain(client, "client %s has not read %d MiB of blocks", client.hex(), waiting // MIB)
        reason = f"you have not read {waiting / MIB:.0f} MiB that you asked for; lower the credit"
        return Failed(digest=message.digest, index=message.index, reason=reason)

    def _forget(self, client: ClientId, reason: str) -> None:
        logs.event(_log, "client gone", client=client.hex(), reason=reason)
        self._dispatcher.forget(client)

    def _complain(self, peer: bytes, complaint: str, *arguments: object) -> None:
        """One line about each client, or each host, however often there is reason for it."""
        level = logging.WARNING if self._complaints.first(peer) else logging.DEBUG
        _log.log(level, complaint, *arguments)
