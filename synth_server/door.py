"""What every way into a worker does: carry messages between it and its clients.

A door knows connections, not streams: it decides nothing. That is `dispatcher.py`; who moves what between
the two is `serving.py`. The client's counterpart is `pairstream.transport`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import zmq

from pairstream.errors import ProtocolError
from pairstream.header import Frame
from pairstream.messages import Message
from synth_server.scheduler import ClientId


@dataclass(frozen=True)
class Said:
    """This client said something."""

    client: ClientId
    message: Message


@dataclass(frozen=True)
class Garbled:
    """This client sent something that is no message of this protocol."""

    client: ClientId
    error: ProtocolError
    address: str
    """Whence it came, without the port: all connections of a host are one peer."""


@dataclass(frozen=True)
class Left:
    """This client is gone, and where it is known, how one knows."""

    client: ClientId
    reason: str


Event = Said | Garbled | Left


class Door(Protocol):
    """One way in. Used by the serving thread alone, once it is open."""

    def register(self, poller: zmq.Poller) -> None:
        """Name what the poller should watch for this door."""

    def admit(self) -> None:
        """Let those in who knock, while nobody is served yet; what they say is heard later."""

    def receive(self) -> Sequence[Event]:
        """What happened at this door; never waits."""

    def send(self, client: ClientId, frames: Sequence[Frame]) -> str:
        """Hand over an encoded message without waiting; why not, if the client cannot be reached any more."""

    def backlog(self, client: ClientId) -> int:
        """Bytes of blocks handed over for this client that its connection has not taken yet."""

    def close(self, linger_seconds: float) -> None:
        """Close it; what is on its way gets so long to leave. Idempotent."""
