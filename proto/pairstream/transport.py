"""What every transport does: carry messages between one client and its workers.

A transport knows connections, not streams: it does not retry, reorder or decide. That is `exchange.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from pairstream.errors import ProtocolError
from pairstream.messages import Message


@dataclass(frozen=True)
class Joined:
    """A connection to this worker came up, for the first time or again."""

    worker: str


@dataclass(frozen=True)
class Lost:
    """The connection to this worker is gone, or could not be made; everything asked over it is void."""

    worker: str
    reason: str


@dataclass(frozen=True)
class Received:
    """This worker said something."""

    worker: str
    message: Message


@dataclass(frozen=True)
class Garbled:
    """This worker sent something that is no message of this protocol."""

    worker: str
    error: ProtocolError


Event = Joined | Lost | Received | Garbled


class Transport(Protocol):
    """Connections from one client to its workers."""

    @property
    def workers(self) -> Sequence[str]:
        """The names of the workers that there are now: the full URL of each, such as zmq://127.0.0.1:5555."""

    def add(self, worker: str) -> None:
        """Begin to connect to this worker; `Joined` or `Lost` will be reported. One that is there already stays.

        Raises:
            ConfigError: this transport reaches no worker of that name.
        """

    def remove(self, worker: str) -> None:
        """Forget this worker: close the connection to it; nothing more is reported of it."""

    def send(self, worker: str, message: Message) -> None:
        """Hand over a message; if the connection is gone, a `Lost` event has been or will be reported."""

    def poll(self, seconds: float) -> Sequence[Event]:
        """What happened, in order; waits at most `seconds` for the first event."""

    def close(self) -> None:
        """Release all connections; idempotent."""
