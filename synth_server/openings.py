"""Which streams are being opened, for whom, and how large the blocks are of those that were.

Pure. A stream is opened once, however many clients ask for it meanwhile.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection

from pairstream.spec import StreamSpec
from synth_server.scheduler import ClientId

#: Streams of which it is remembered that they were opened, and how large their blocks are.
REMEMBERED = 1_024


class Openings:
    """Streams and those who wait for them."""

    def __init__(self) -> None:
        self._waiting: dict[StreamSpec, dict[ClientId, None]] = {}
        self._unstarted: list[StreamSpec] = []
        self._block_bytes: OrderedDict[str, int] = OrderedDict()

    def ask(self, client: ClientId, spec: StreamSpec) -> None:
        """The client waits for this stream to be opened."""
        if spec.digest not in self._block_bytes:
            self.remember(spec.digest, spec.audio_bytes)
        if spec not in self._waiting:
            self._unstarted.append(spec)
        self._waiting.setdefault(spec, {})[client] = None

    def next(self) -> StreamSpec | None:
        """The stream to open next, if there is one."""
        return self._unstarted.pop(0) if self._unstarted else None

    def done(self, spec: StreamSpec) -> Collection[ClientId]:
        """It was opened, or cannot be: who waits for that."""
        return self._waiting.pop(spec, {})

    def forget(self, client: ClientId) -> None:
        """The client is gone; what only it waited for is not opened, unless it is being opened now."""
        for spec in [spec for spec, clients in self._waiting.items() if client in clients]:
            del self._waiting[spec][client]
            if not self._waiting[spec] and spec in self._unstarted:
                self._unstarted.remove(spec)
                del self._waiting[spec]

    def waits(self, client: ClientId) -> bool:
        """Whether the client waits for any stream to be opened."""
        return any(client in clients for clients in self._waiting.values())

    def remember(self, digest: str, nbytes: int) -> None:
        """A block of this stream has so many bytes."""
        self._block_bytes[digest] = nbytes
        self._block_bytes.move_to_end(digest)
        while len(self._block_bytes) > REMEMBERED:
            self._block_bytes.popitem(last=False)

    def block_bytes(self, digest: str) -> int | None:
        """Bytes of a block, as far as they are known; None if the stream was not opened here, or very long ago."""
        nbytes = self._block_bytes.get(digest)
        if nbytes is not None:
            self._block_bytes.move_to_end(digest)
        return nbytes
