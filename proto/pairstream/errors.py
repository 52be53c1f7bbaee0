"""Every error that a user of pairstream can meet, and the exit code a command ends with.

Each message says what happened, with which value, and what to do about it.

    PairstreamError                 1   anything below; catch this one to catch them all
    ├── ConfigError                 2   a setting or argument that cannot be meant
    │   └── SpecError               2   a stream spec that describes no valid stream
    ├── RefusedError                3   a worker answered, and will not serve this spec
    ├── RenderError                 3   a worker tried to render a block and failed
    ├── WorkerUnavailableError      4   no worker could be reached, or all of them left
    ├── StreamTimeoutError          4   a worker was reached, but the block did not come in time
    ├── ProtocolError               5   a message that is truncated, oversized, or not ours
    ├── BindError                   6   an address that cannot be listened on
    ├── DataError                   7   a folder of recordings, or a clip in it, that cannot be used
    ├── CheckpointError             8   a checkpoint, run folder or exported model that cannot be used
    └── MemoryLimitError            9   too little memory for what was asked

`StreamTimeoutError` is also a `TimeoutError`, `WorkerUnavailableError` a `ConnectionError`, `MemoryLimitError` a
`MemoryError`, and `ConfigError` a `ValueError`, so code that knows nothing of pairstream handles them sensibly.
"""

from __future__ import annotations

from typing import ClassVar


class PairstreamError(Exception):
    """Base of the tree; `exit_code` is what a console script returns for it."""

    exit_code: ClassVar[int] = 1


class ConfigError(PairstreamError, ValueError):
    """A setting that cannot be meant: the message quotes the value and the remedy."""

    exit_code = 2


class SpecError(ConfigError):
    """A stream spec that describes no valid stream."""


class RefusedError(PairstreamError):
    """A worker answered OPEN with a refusal: it knows no such synth, or the block is too large."""

    exit_code = 3


class RenderError(PairstreamError):
    """A worker accepted the stream but could not render one of its blocks."""

    exit_code = 3


class WorkerUnavailableError(PairstreamError, ConnectionError):
    """No worker is connected, and none came (back) within the time-out."""

    exit_code = 4


class StreamTimeoutError(PairstreamError, TimeoutError):
    """A connected worker did not deliver within the time-out."""

    exit_code = 4


class ProtocolError(PairstreamError):
    """Bytes that are not a message of this protocol: truncated, oversized, alien or inconsistent."""

    exit_code = 5


class BindError(PairstreamError):
    """An address that this process cannot, or should not, listen on."""

    exit_code = 6


class DataError(PairstreamError):
    """A folder of recordings, its manifest, or one of its clips that cannot be used."""

    exit_code = 7


class CheckpointError(PairstreamError):
    """A checkpoint or run folder that is missing, damaged, or of another kind."""

    exit_code = 8


class MemoryLimitError(PairstreamError, MemoryError):
    """The machine or its card has too little memory: the message says while doing what, and what helps."""

    exit_code = 9
