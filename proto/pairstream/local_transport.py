"""local:// – blocks rendered in the client's own process. The reference: every transport gives these bytes."""

from __future__ import annotations

from collections import deque

from pairstream.errors import ConfigError, PairstreamError
from pairstream.messages import Failed, Message, Open, Opened, Refused, Want
from pairstream.source import OpenSource, Source
from pairstream.spec import StreamSpec
from pairstream.transport import Event, Joined, Received

NAME = "local://"


class LocalTransport:
    """One worker that is no process: it renders when polled, in the order in which it was asked.

    Args:
        open_source: makes the source of a stream.
    """

    def __init__(self, open_source: OpenSource) -> None:
        self.workers: tuple[str, ...] = (NAME,)
        self._open_source = open_source
        self._source: Source | None = None
        self._digest = ""
        self._wanted: deque[int] = deque()
        self._events: deque[Event] = deque([Joined(NAME)])

    def add(self, worker: str) -> None:
        """There is one worker here, this process.

        Raises:
            ConfigError: another was named.
        """
        if worker != NAME:
            raise ConfigError(f"{worker} is not rendered in this process; {NAME} is, and stands alone")
        if worker not in self.workers:
            self.workers = (NAME,)
            self._events.append(Joined(NAME))

    def remove(self, worker: str) -> None:
        """Forget what was asked for."""
        if worker in self.workers:
            self.workers = ()
            self._wanted.clear()
            self._events.clear()

    def send(self, worker: str, message: Message) -> None:
        """Open the stream, or queue what is wanted."""
        if isinstance(message, Open):
            self._open(message)
        elif isinstance(message, Want):
            self._wanted.extend(index for index in message.indices if index not in self._wanted)

    def poll(self, seconds: float) -> list[Event]:
        """What is pending, or else one freshly rendered block."""
        if not self._events and self._wanted and self._source:
            index = self._wanted.popleft()
            try:
                self._events.append(Received(NAME, self._source.render(index)))
            except PairstreamError as error:
                self._events.append(Received(NAME, Failed(digest=self._digest, index=index, reason=str(error))))
        events = list(self._events)
        self._events.clear()
        return events

    def close(self) -> None:
        """Release the renderer."""
        if self._source:
            self._source.close()
            self._source = None

    def _open(self, message: Open) -> None:
        spec = StreamSpec.from_dict(message.spec)
        self._digest = spec.digest
        try:
            self._source = self._source or self._open_source(spec)
        except PairstreamError as error:
            self._events.append(Received(NAME, Refused(digest=spec.digest, reason=str(error))))
            return
        opened = Opened(digest=spec.digest, layout=self._source.layout, fingerprint=self._source.fingerprint)
        self._events.append(Received(NAME, opened))
