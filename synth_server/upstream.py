"""The source of a relay: blocks that other workers render.

A relay is a worker like any other but for this: `synth-server serve --upstream zmq://…` stands one near many trainers
and fetches each block over the slow link once. Its fingerprint is its workers', and no synthesizer is loaded.
"""

from __future__ import annotations

import logging
import socket
from collections import OrderedDict
from collections.abc import Sequence
from threading import Event

from pairstream import connect
from pairstream.block import PairBlock
from pairstream.codec import MAX_CAPACITY
from pairstream.errors import StreamTimeoutError, WorkerUnavailableError
from pairstream.messages import Layout
from pairstream.spec import StreamSpec
from synth_server.capacity import WARM_UP
from synth_server.sources import Sources

_log = logging.getLogger(__name__)

#: How long one block, or the answer to OPEN, may take; the clients are told to come back rather than left to wait.
FETCH_SECONDS = 15.0
#: Seconds between attempts to reach the workers before the relay is ready.
RETRY_SECONDS = 2.0
#: Streams whose fingerprint is remembered.
_REMEMBERED = 1_024


class UpstreamSource:
    """The blocks of one stream, fetched.

    Args:
        url: the workers.
        spec: the stream.
        fingerprint: the arithmetic that its blocks came from before; None if there were none.
        timeout: the longest wait, in seconds.

    Raises:
        WorkerUnavailableError, StreamTimeoutError: no worker answers now.
        RefusedError: they will not serve this stream.
    """

    def __init__(self, url: str, spec: StreamSpec, fingerprint: str | None, timeout: float) -> None:
        experiment = f"relay {socket.gethostname()}"
        self._client = connect(url, spec, experiment=experiment, timeout=timeout, fingerprint=fingerprint)
        self._expected: Sequence[int] = ()

    @property
    def layout(self) -> Layout:
        """The shape of every block."""
        return self._client.layout

    @property
    def fingerprint(self) -> str:
        """The workers'."""
        return self._client.fingerprint

    @property
    def capacity(self) -> int:
        """Pairs per second that the workers can render together."""
        return self._client.capacity

    def expect(self, indices: Sequence[int]) -> None:
        """These will be wanted next: they are asked for together with the next block, as far as the credit goes."""
        self._expected = indices

    def render(self, index: int) -> PairBlock:
        """Block `index`, from whichever worker has it.

        Raises:
            WorkerUnavailableError, StreamTimeoutError: it does not come now.
            RenderError, RefusedError: nobody can give it.
        """
        return self._client.fetch(index, self._expected)

    def close(self) -> None:
        """Leave the workers; idempotent."""
        self._client.close()


class Upstream:
    """Opens streams at other workers.

    Args:
        url: the workers, as a client names them.
        stop: set when the relay is to stop before it was ready.
        timeout: the longest that one answer may take, in seconds.
        retry_seconds: how long to leave the workers alone before the next attempt to reach them.
    """

    def __init__(
        self, url: str, stop: Event, *, timeout: float = FETCH_SECONDS, retry_seconds: float = RETRY_SECONDS
    ) -> None:
        self._url = url
        self._stop = stop
        self._timeout = timeout
        self._retry_seconds = retry_seconds
        self._fingerprints: OrderedDict[str, str] = OrderedDict()

    def __call__(self, spec: StreamSpec) -> UpstreamSource:
        """The source of a stream; opened again, it is of the arithmetic that it was before."""
        source = UpstreamSource(self._url, spec, self._fingerprints.get(spec.digest), self._timeout)
        self._fingerprints[spec.digest] = source.fingerprint
        self._fingerprints.move_to_end(spec.digest)
        while len(self._fingerprints) > _REMEMBERED:
            self._fingerprints.popitem(last=False)
        return source

    def reach(self, sources: Sources) -> int:
        """Wait until the workers answer, and give their capacity; nothing is rendered for it.

        Raises:
            WorkerUnavailableError: they had not when the relay was told to stop.
            RefusedError: they serve no stream at all.
        """
        while not self._stop.is_set():
            try:
                source = self(WARM_UP)
            except (WorkerUnavailableError, StreamTimeoutError) as error:
                _log.warning("not ready: %s; trying again in %g s", error, self._retry_seconds)
                self._stop.wait(self._retry_seconds)
            else:
                capacity = source.capacity
                source.close()
                return min(MAX_CAPACITY, capacity)
        raise WorkerUnavailableError(f"told to stop before any worker at {self._url} had answered")
