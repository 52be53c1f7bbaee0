"""PairStream: a pair stream as a PyTorch dataset. The only file of this package that loads torch.

    stream = PairStream("zmq://127.0.0.1:5555", StreamSpec(delta=0.25), experiment="first")
    for batch in DataLoader(stream, batch_size=None):      # num_workers=0 or 1
        loss = model(batch.a, batch.b)
        checkpoint["stream"] = stream.state_after(batch)  # load_state_dict goes on with the very next block

The stream has no end and no epochs: iterating again goes on where the last iteration stopped.
"""

from __future__ import annotations

import uuid
import weakref
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import IterableDataset, get_worker_info

from pairstream.block import PairBlock
from pairstream.connect import CREDIT_BYTES, connect
from pairstream.cursor import Cursor, Share
from pairstream.errors import ConfigError
from pairstream.spec import StreamSpec


@dataclass(eq=False)
class PairBatch:
    """One block as tensors.

    Attributes:
        index: the block's number in its stream.
        theta: parameters of both views, float32 (N, 2, P).
        audio: samples of both views, float32 or float16 (N, 2, T).
        fingerprint: names the arithmetic that rendered it.
        stream: names the `PairStream` it came from.
    """

    index: int
    theta: Tensor
    audio: Tensor
    fingerprint: str = ""
    stream: str = ""

    @property
    def a(self) -> Tensor:
        """The first view of every pair, (N, T)."""
        return self.audio[:, 0]

    @property
    def b(self) -> Tensor:
        """The second view of every pair, (N, T)."""
        return self.audio[:, 1]

    def to(self, device: torch.device | str, non_blocking: bool = False) -> PairBatch:
        """The same batch on another device."""
        theta, audio = (tensor.to(device, non_blocking=non_blocking) for tensor in (self.theta, self.audio))
        return replace(self, theta=theta, audio=audio)

    def pin_memory(self) -> PairBatch:
        """The same batch in page-locked memory; called by a `DataLoader(pin_memory=True)`."""
        return replace(self, theta=self.theta.pin_memory(), audio=self.audio.pin_memory())

    def __reduce__(self) -> tuple[Any, ...]:
        # A DataLoader's worker process pickles a batch, and the consumer's process unpickles it in the order
        # of consumption: the moment at which the consumer's PairStream learns how far it has come.
        return (_arrive, (self.index, self.theta, self.audio, self.fingerprint, self.stream))


class PairStream(IterableDataset[PairBatch]):
    """An endless dataset of whole blocks, each a batch: use it with `DataLoader(batch_size=None)`.

    Its state is where the consumer stands: exact with `num_workers=0` and `1`. Where something between
    the loader and you reads ahead (Lightning does, and `pin_memory` with a worker process), keep
    `state_after(batch)` of the last batch that you have used instead.

    Args:
        url: see `connect`.
        spec: the stream.
        experiment: the name under which workers count what they serve.
        start: the first index, of all ranks together.
        timeout: the longest wait for a block, in seconds.
        rank, world: this process's share of the stream.
        credit_bytes: how many bytes of blocks may be on their way ahead of the consumer.
    """

    def __init__(
        self,
        url: str,
        spec: StreamSpec,
        *,
        experiment: str = "default",
        start: int = 0,
        timeout: float = 60.0,
        rank: int = 0,
        world: int = 1,
        credit_bytes: int = CREDIT_BYTES,
    ) -> None:
        self.url = url
        self.spec = spec
        self.experiment = experiment
        self.timeout = timeout
        self.share = Share(rank=rank, world=world)
        self.credit_bytes = credit_bytes
        self._cursor = Cursor(next=start)
        self._fingerprint = ""
        self._name = uuid.uuid4().hex
        _streams[self._name] = self

    def __iter__(self) -> Iterator[PairBatch]:
        worker = get_worker_info()
        if worker is not None and worker.num_workers > 1:
            raise ConfigError(f"num_workers={worker.num_workers}: a stream is one sequence; use num_workers=0 or 1")
        with connect(
            self.url,
            self.spec,
            experiment=self.experiment,
            timeout=self.timeout,
            credit_bytes=self.credit_bytes,
            fingerprint=self._fingerprint or None,
        ) as client:
            for block in client.follow(self._cursor.indices(self.share)):
                batch = self._batch(block, client.fingerprint)
                self._note(batch)
                yield batch

    def state_dict(self) -> dict[str, Any]:
        """Where the consumer stands: the `next` index, and the `fingerprint` of the arithmetic so far."""
        return self._cursor.state_dict() | {"fingerprint": self._fingerprint}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from `state` at the next `iter`. Without its fingerprint, any worker's arithmetic will do."""
        self._cursor = Cursor.from_state_dict(state)
        self._fingerprint = str(state.get("fingerprint", ""))

    def state_after(self, batch: PairBatch) -> dict[str, Any]:
        """The state from which to go on once `batch` has been used."""
        return self._cursor.after(batch.index, self.share).state_dict() | {"fingerprint": batch.fingerprint}

    def _note(self, batch: PairBatch) -> None:
        """The consumer has come to this batch."""
        self._cursor = self._cursor.after(batch.index, self.share)
        self._fingerprint = batch.fingerprint

    def _batch(self, block: PairBlock, fingerprint: str) -> PairBatch:
        theta, audio = torch.from_numpy(block.theta), torch.from_numpy(block.audio)
        return PairBatch(block.index, theta, audio, fingerprint, self._name)


_streams: weakref.WeakValueDictionary[str, PairStream] = weakref.WeakValueDictionary()


def _arrive(index: int, theta: Tensor, audio: Tensor, fingerprint: str, name: str) -> PairBatch:
    batch = PairBatch(index, theta, audio, fingerprint, name)
    if stream := _streams.get(name):
        stream._note(batch)
    return batch
