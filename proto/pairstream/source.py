"""Where blocks come from: the seam between serving and making.

A worker's server takes the blocks of a stream from a source. A renderer is one; a client of other
workers could be another. `local://` reaches the renderer of its own process through the entry point
`pairstream.renderers`, so that this package need not know who renders.
"""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Protocol, cast

from pairstream.block import PairBlock
from pairstream.errors import ConfigError
from pairstream.messages import Layout
from pairstream.spec import StreamSpec


class Source(Protocol):
    """The blocks of one stream, by index."""

    @property
    def layout(self) -> Layout:
        """The shape of every block."""

    @property
    def fingerprint(self) -> str:
        """Names the arithmetic: sources with equal fingerprints give equal bytes for the same spec."""

    def render(self, index: int) -> PairBlock:
        """Block `index`, always the same bytes."""

    def close(self) -> None:
        """Release threads and memory; idempotent."""


class OpenSource(Protocol):
    """Makes the source of a stream."""

    def __call__(self, spec: StreamSpec) -> Source:
        """Raises RefusedError if there can be none for this spec."""


def installed_renderer() -> OpenSource:
    """The renderer that is installed beside this package.

    Raises:
        ConfigError: none is installed.
    """
    found = entry_points(group="pairstream.renderers", name="local")
    try:
        return cast(OpenSource, next(iter(found)).load())
    except (StopIteration, ImportError) as error:
        remedy = "install `pairstream[server]`, or use the worker of another process: zmq://HOST:PORT"
        raise ConfigError(
            f"local:// needs a renderer in this process ({error or 'none is installed'}); {remedy}"
        ) from error
