"""Where clients of this host bring the memory that they share with this worker.

A client asks over ZeroMQ, is told the place and a token, hands its memory over there (`pairstream.lifeline`), and
stays connected: when it ends, however it ends, the line breaks and its memory is let go at once.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import select
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import zmq

from pairstream.errors import ProtocolError
from pairstream.header import Frame
from pairstream.lifeline import listen, take_over
from pairstream.sharing import Apart, Ask, Lend, Meet, Shared, SharingMessage
from synth_server import past_cache
from synth_server.lent_slots import LentSlots
from synth_server.scheduler import ClientId

#: Lines on which nobody has brought anything yet; a further one is turned away.
STRANGERS: Final = 64
#: Clients that were told where to come and have not come; the first of more is forgotten.
INVITED: Final = 256

Visit = tuple[ClientId, SharingMessage]


class MeetingPoint(Protocol):
    """What a door needs of it."""

    def register(self, poller: zmq.Poller) -> None:
        """Name what the poller should watch."""

    def hear(self, client: ClientId, message: SharingMessage) -> SharingMessage | None:
        """A client said something about memory; what to answer. Raises ProtocolError if it is out of turn."""

    def visitors(self) -> Iterator[Visit]:
        """Who came, with what to answer; the memory of those who left is let go."""

    def write(self, client: ClientId, arrays: Sequence[Frame]) -> bytes | None:
        """Copy theta and audio into memory that the client has lent; the reference to it, or None if there is none."""

    def forget(self, client: ClientId) -> None:
        """Let its memory go."""

    def close(self) -> None:
        """Let all memory go. Idempotent."""


def meeting_point(*, allowed: bool) -> MeetingPoint:
    """One that shares, if that is allowed and this system can."""
    if not allowed:
        return NoMeetingPoint("shared memory is off here (--no-shared-memory)")
    if not hasattr(os, "memfd_create"):
        return NoMeetingPoint("the worker's system has no nameless memory (memfd)")
    return SharedMeetingPoint()


class NoMeetingPoint:
    """The null object: everybody is told why not."""

    def __init__(self, reason: str) -> None:
        self._reason = reason

    def register(self, poller: zmq.Poller) -> None:
        """Nothing to watch."""

    def hear(self, client: ClientId, message: SharingMessage) -> SharingMessage | None:
        """Say why not."""
        return Apart(reason=self._reason) if isinstance(message, Ask) else None

    def visitors(self) -> Iterator[Visit]:
        """Nobody comes."""
        return iter(())

    def write(self, client: ClientId, arrays: Sequence[Frame]) -> bytes | None:
        """Nothing was lent."""
        return None

    def forget(self, client: ClientId) -> None:
        """Nothing was lent."""

    def close(self) -> None:
        """Nothing to release."""


@dataclass
class _Guest:
    """A client that has brought its memory."""

    line: socket.socket
    slots: LentSlots


class SharedMeetingPoint:
    """A listening Unix socket without a file, and the memory of those who came."""

    def __init__(self) -> None:
        self._place = secrets.token_hex(16)
        self._listener = listen(self._place)
        self._epoll = select.epoll()
        self._epoll.register(self._listener, select.EPOLLIN)
        self._invited: dict[bytes, tuple[ClientId, Ask]] = {}
        self._strangers: dict[int, socket.socket] = {}
        self._lines: dict[int, ClientId] = {}
        self._guests: dict[ClientId, _Guest] = {}

    def register(self, poller: zmq.Poller) -> None:
        """Watch the listener and all lines, through one file descriptor."""
        poller.register(self._epoll.fileno(), zmq.POLLIN)

    def hear(self, client: ClientId, message: SharingMessage) -> SharingMessage | None:
        """Tell a client where to come, or take note of what it lends."""
        if isinstance(message, Ask):
            self.forget(client)
            while len(self._invited) >= INVITED:
                del self._invited[next(iter(self._invited))]
            token = secrets.token_bytes(16)
            self._invited[token] = (client, message)
            return Meet(place=self._place, token=token)
        if isinstance(message, Lend):
            if guest := self._guests.get(client):
                guest.slots.lend(message.slots)
            return None
        raise ProtocolError(f"a {type(message).__name__} message, as only workers send")

    def visitors(self) -> Iterator[Visit]:
        """Serve whoever stands at the door."""
        for number, _ in self._epoll.poll(0):
            if number == self._listener.fileno():
                self._welcome()
            elif number in self._strangers:
                yield from self._take(self._strangers.pop(number))
            elif number in self._lines:  # nothing is ever said on it again: it ended
                self.forget(self._lines[number])

    def write(self, client: ClientId, arrays: Sequence[Frame]) -> bytes | None:
        """Copy arrays into a slot that the client has lent."""
        guest = self._guests.get(client)
        return guest.slots.write(arrays) if guest else None

    def forget(self, client: ClientId) -> None:
        """Close its line and unmap its memory."""
        guest = self._guests.pop(client, None)
        if guest:
            del self._lines[guest.line.fileno()]
            self._turn_away(guest.line)

    def close(self) -> None:
        """Let go of everybody."""
        if self._epoll.closed:
            return
        for client in list(self._guests):
            self.forget(client)
        for line in self._strangers.values():
            self._turn_away(line)
        self._listener.close()
        self._epoll.close()

    def _welcome(self) -> None:
        with contextlib.suppress(BlockingIOError):
            line, _ = self._listener.accept()
            line.setblocking(False)
            if len(self._strangers) >= STRANGERS:
                line.close()
                return
            self._strangers[line.fileno()] = line
            self._epoll.register(line, select.EPOLLIN)

    def _take(self, line: socket.socket) -> Iterator[Visit]:
        """Map what a stranger has brought, if it was invited."""
        try:
            token, fd = take_over(line)
        except OSError:
            self._turn_away(line)
            return
        client, ask = self._invited.pop(token, (b"", None))
        if ask is None:
            self._turn_away(line)
        else:
            try:
                self._guests[client] = _Guest(line, LentSlots(fd, ask))
            except (OSError, ProtocolError) as error:
                self._turn_away(line)
                yield client, Apart(reason=str(error))
            else:
                self._lines[line.fileno()] = client
                past_cache.prepare()
                yield client, Shared()
        if fd >= 0:
            os.close(fd)

    def _turn_away(self, line: socket.socket) -> None:
        self._epoll.unregister(line)
        line.close()
