"""One connection to one worker over gRPC: a stream both ways, begun again when it ends, and its reading thread."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from queue import SimpleQueue
from threading import Event as Flag
from threading import Thread
from typing import Final

os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # its C++ core would log beside the events that we report

import grpc

from pairstream.credentials import TlsClient
from pairstream.errors import ProtocolError
from pairstream.grpc_channel import open_channel, trouble
from pairstream.grpc_wire import CHANNEL_OPTIONS, METHOD, SERVICE, Assembler, pieces, receive_limit
from pairstream.header import Frame
from pairstream.transport import Event, Garbled, Joined, Lost, Received

_log = logging.getLogger(__name__)

#: Seconds until the first and at most between further attempts to connect.
RECONNECT_SECONDS, RECONNECT_MAX_SECONDS = 0.1, 1.0
#: Seconds that the thread may take to end, once its call is cancelled.
CLOSE_SECONDS = 2.0

_OPTIONS: Final = (
    *CHANNEL_OPTIONS,
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.initial_reconnect_backoff_ms", round(RECONNECT_SECONDS * 1_000)),
    ("grpc.max_reconnect_backoff_ms", round(RECONNECT_MAX_SECONDS * 1_000)),
)


class GrpcLink:
    """A connection, made and made again until it is closed.

    Args:
        worker: its name.
        target: its address.
        max_block_bytes: no block larger than this is accepted.
        report: takes each event; it may wait until there is room for it. False ends the connection.
        tls: the identities by which both ends are known; None if nothing is encrypted.
    """

    def __init__(
        self,
        worker: str,
        target: str,
        max_block_bytes: int,
        report: Callable[[GrpcLink, Event], bool],
        tls: TlsClient | None = None,
    ) -> None:
        self.worker = worker
        self._max_block_bytes = max_block_bytes
        self._report = report
        self._closed = Flag()
        self._outgoing: SimpleQueue[bytes | None] = SimpleQueue()
        self._knocking: grpc.Call | None = None
        self._tls = tls is not None
        self._channel = open_channel(target, tls, (*_OPTIONS, receive_limit(max_block_bytes)))
        self._open: grpc.StreamStreamMultiCallable[bytes, bytes] = self._channel.stream_stream(
            f"/{SERVICE}/{METHOD}"
            # no serializers: bytes both ways
        )
        self._thread = Thread(target=self._run, name=f"read {worker}", daemon=True)
        self._thread.start()

    def send(self, frames: Sequence[Frame]) -> None:
        """Queue a message for the stream that there is; if it has ended, so has the message."""
        for piece in pieces(frames):
            self._outgoing.put(piece)

    @property
    def closed(self) -> bool:
        """Whether nobody wants its events any more."""
        return self._closed.is_set()

    def close(self) -> None:
        """End the stream once what is queued was handed over; if it never began, at once. Idempotent."""
        self._closed.set()
        self._outgoing.put(None)
        if self._knocking:
            self._knocking.cancel()
        self._thread.join(CLOSE_SECONDS)
        self._channel.close()

    def _run(self) -> None:
        pause = RECONNECT_SECONDS
        while not self._closed.is_set():
            outgoing: SimpleQueue[bytes | None] = SimpleQueue()
            self._outgoing = outgoing
            call = self._knocking = self._open(iter(outgoing.get, None))
            if self._closed.is_set():  # just now, by somebody who saw no call
                call.cancel()
            reason = ""
            try:
                call.initial_metadata()  # waits until the worker has taken the call, or it has failed
                self._knocking = None
                reason = "the worker ended the stream"
                if not call.is_active():
                    reason = _explained(call, tls=self._tls)
                elif self._report(self, Joined(self.worker)):
                    pause = RECONNECT_SECONDS
                    self._read(call)
            except grpc.RpcError as error:
                reason = _explained(error, tls=self._tls)
            outgoing.put(None)
            call.cancel()
            if not self._report(self, Lost(self.worker, reason)):
                return
            self._closed.wait(pause)
            pause = min(2 * pause, RECONNECT_MAX_SECONDS)

    def _read(self, call: Iterator[bytes]) -> None:
        assembler = Assembler(self._max_block_bytes)
        for piece in call:
            try:
                message = assembler.add(piece)
            except ProtocolError as error:
                event: Event = Garbled(self.worker, error)
            else:
                if message is None:
                    continue
                event = Received(self.worker, message)
            if not self._report(self, event):
                return


def _explained(error: grpc.RpcError | grpc.Call, *, tls: bool) -> str:
    if not isinstance(error, grpc.Call):
        return str(error)
    if error.code() is grpc.StatusCode.UNAVAILABLE:
        return trouble(error.details(), tls=tls)
    return f"{error.code().name}: {error.details()}"
