"""The worker's end of zmq://: a ROUTER, a thread that serves it, and a thread that renders.

A shell around `dispatcher.py`. The serving thread alone touches the socket and the dispatcher; the
rendering thread alone touches the sources. Frames leave without a copy, so a block's arrays live until
ZeroMQ has sent them; nothing ever writes into a rendered block.
"""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from threading import Event, Thread
from typing import Final

import zmq

from pairstream.block import PairBlock
from pairstream.codec import MAX_HEADER_BYTES, decode, encode
from pairstream.errors import BindError, PairstreamError, ProtocolError, RenderError
from pairstream.messages import Message, Opened, Refused
from synth_server.address import Address
from synth_server.dispatcher import Dispatcher, Job, OpenJob, Outbox, RenderJob
from synth_server.metrics import WorkerMetrics
from synth_server.scheduler import ClientId
from synth_server.sources import Sources

_log = logging.getLogger(__name__)

#: Jobs with the rendering thread: one in the making, one behind it so that it never idles.
JOBS_AHEAD: Final = 2
#: Milliseconds between ZeroMQ's heartbeats, and until a silent client counts as gone.
HEARTBEAT_MS, HEARTBEAT_TIMEOUT_MS = 1_000, 5_000
#: Milliseconds that blocks on their way may take to leave when the worker stops.
LINGER_MS = 2_000

Answer = Opened | PairBlock | PairstreamError


class ZmqServer:
    """Serves the data path from `start` to `stop`.

    Args:
        dispatcher: decides; owned by the serving thread from `start` on.
        sources: what renders; owned by the rendering thread from `start` on.
        metrics: times and counts.
        wake_seconds: the longest the serving thread sleeps.
    """

    def __init__(
        self, dispatcher: Dispatcher, sources: Sources, metrics: WorkerMetrics, *, wake_seconds: float = 1.0
    ) -> None:
        self._dispatcher = dispatcher
        self._sources = sources
        self._metrics = metrics
        self._wake_seconds = wake_seconds
        self._context = zmq.Context()
        self._router: zmq.Socket[bytes] = self._context.socket(zmq.ROUTER)
        self._renderer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="render")
        self._answers: SimpleQueue[tuple[Job, Answer]] = SimpleQueue()
        self._bell, self._ear = socket.socketpair()
        self._jobs = 0
        self._farewell_said = False
        self._drain = Event()
        self._stop = Event()
        self._thread = Thread(target=self._serve, name="serve", daemon=True)

    def bind(self, address: Address) -> Address:
        """Listen; returns the address with the port that was found if it asked for any.

        Raises:
            BindError: the address is taken or not this machine's.
        """
        for option, value in (
            (zmq.ROUTER_MANDATORY, 1),
            (zmq.HEARTBEAT_IVL, HEARTBEAT_MS),
            (zmq.HEARTBEAT_TIMEOUT, HEARTBEAT_TIMEOUT_MS),
            (zmq.HANDSHAKE_IVL, HEARTBEAT_TIMEOUT_MS),
            (zmq.MAXMSGSIZE, MAX_HEADER_BYTES),  # clients send headers only
            (zmq.IPV6, 1),
            (zmq.LINGER, LINGER_MS),
        ):
            self._router.setsockopt(option, value)
        host = "*" if address.host == "0.0.0.0" else address.host
        try:
            self._router.bind(f"tcp://{host}:{address.port or '*'}")
        except zmq.ZMQError as error:
            raise BindError(f"cannot serve pairs on tcp://{address}: {error}; choose another --bind") from error
        endpoint = self._router.getsockopt_string(zmq.LAST_ENDPOINT)
        return Address(address.host, int(endpoint.rpartition(":")[2]))

    def on_rendering_thread(self, job: Callable[[Sources], None]) -> None:
        """Run something with the sources on the rendering thread, and wait for it."""
        self._renderer.submit(job, self._sources).result()

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()

    def stop(self, drain_seconds: float) -> bool:
        """Take nothing more on, finish what is in the making, leave; False if that took too long. Idempotent."""
        if self._context.closed:
            return True
        self._drain.set()
        self._ring()
        if self._thread.is_alive():
            self._thread.join(drain_seconds)
        in_time = not self._thread.is_alive()
        self._stop.set()
        self._ring()
        if self._thread.ident is not None:
            self._thread.join(self._wake_seconds * 2)
        self._renderer.shutdown(wait=in_time, cancel_futures=True)
        if in_time:
            self._sources.close()
        self._router.close(linger=LINGER_MS)
        self._context.term()
        self._bell.close()
        self._ear.close()
        return in_time

    def _serve(self) -> None:
        poller = zmq.Poller()
        poller.register(self._router, zmq.POLLIN)
        poller.register(self._ear, zmq.POLLIN)
        while not self._stop.is_set():
            ready = dict(poller.poll(round(self._wake_seconds * 1_000)))
            if self._ear.fileno() in ready:
                self._ear.recv(4_096)
            if self._router in ready:
                self._receive()
            while not self._answers.empty():
                self._finish(*self._answers.get())
            if not self._drain.is_set():
                self._hand_out()
            elif self._all_said_and_done():
                return

    def _all_said_and_done(self) -> bool:
        """While draining: say good-bye once, and wait for the blocks in the making."""
        if not self._farewell_said:
            self._farewell_said = True
            self._send(self._dispatcher.drain())
        return self._jobs == 0

    def _receive(self) -> None:
        client, *frames = self._router.recv_multipart()
        try:
            message = decode(frames)
        except ProtocolError as error:
            self._metrics.malformed.inc()
            _log.warning("from client %s: %s", client.hex(), error)
            self._send([(client, Refused(digest="", reason=f"you sent {error}"))])
            return
        self._send(self._dispatcher.handle(client, message))

    def _hand_out(self) -> None:
        while self._jobs < JOBS_AHEAD and (job := self._dispatcher.next_job()):
            self._jobs += 1
            self._renderer.submit(self._run, job)

    def _run(self, job: Job) -> None:
        """On the rendering thread: do a job; whatever goes wrong becomes an answer."""
        try:
            answer: Answer = self._open(job) if isinstance(job, OpenJob) else self._sources.render(*job.key)
        except PairstreamError as error:
            answer = error
        except Exception as error:
            _log.exception("a job failed: %s", job)
            answer = RenderError(f"{type(error).__name__}: {error}")
        self._answers.put((job, answer))
        self._ring()

    def _open(self, job: OpenJob) -> Opened:
        source = self._sources.open(job.spec)
        _log.info("stream %s is open: %s", job.spec.digest[:12], job.spec)
        return Opened(digest=job.spec.digest, layout=source.layout, fingerprint=source.fingerprint)

    def _finish(self, job: Job, answer: Answer) -> None:
        self._jobs -= 1
        if isinstance(job, OpenJob) and not isinstance(answer, PairBlock):
            self._send(self._dispatcher.opened(job, answer))
        elif isinstance(job, RenderJob) and not isinstance(answer, Opened):
            self._send(self._dispatcher.rendered(job, answer))

    def _send(self, outbox: Outbox) -> None:
        for client, message in outbox:
            began = time.perf_counter()
            frames = encode(message)
            encoded = time.perf_counter()
            self._send_frames(client, frames, message)
            if isinstance(message, PairBlock):
                self._metrics.observe("encode", encoded - began)
                self._metrics.observe("send", time.perf_counter() - encoded)

    def _send_frames(self, client: ClientId, frames: list[bytes | memoryview], message: Message) -> None:
        try:
            self._router.send_multipart([client, *frames], flags=zmq.DONTWAIT, copy=False)
        except zmq.ZMQError as error:  # EHOSTUNREACH: it is gone. EAGAIN: it has not read for very long.
            _log.info("client %s is given up: %s (%s)", client.hex(), error, type(message).__name__)
            self._dispatcher.forget(client)

    def _ring(self) -> None:
        self._bell.send(b"!")
