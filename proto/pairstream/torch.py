"""PairStream: a pair stream as a PyTorch dataset. The only file of this package that loads torch.

    stream = PairStream("zmq://127.0.0.1:5555", StreamSpec(delta=0.25), experiment="first")
    for batch in DataLoader(stream, batch_size=None):      # num_workers=0 or 1
        loss = model(batch.a, batch.b)
        checkpoint["stream"] = stream.state_after(batch)  # load_state_dict goes on with the very next block

The stream has no end and no epochs: iterating again goes on where the last iteration stopped.

Several processes (DDP) share an experiment by arithmetic. A *global batch* is what one optimiser step sees, of all
ranks together: `batch_pairs` consecutive pairs of the stream. Rank r of W yields the r-th W-th of each, so that
an all_gather in the order of ranks gives the batch in the order of the stream. What a rank gets are views of blocks
where its part lies in one block, and a copy where it spans several. Say `batch_pairs`, and the batches are the same
whatever W is, also if W changes from one run to the next; unsaid it is a block per rank, and changes with W.

    PairStream(url, spec, batch_pairs=256, rank=dist.get_rank(), world=dist.get_world_size())

A `DataLoader` with more than one worker process is refused: each would need a share of its own, and the order in which
they deliver is the loader's. One is enough, as blocks come ready-made; what renders in parallel are the workers.
"""

from __future__ import annotations

import os
import uuid
import weakref
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import tee
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import IterableDataset, get_worker_info

from pairstream.batches import MAX_LAG, Batches, Follow, Slice, Start, assemble, check_following
from pairstream.block import PairBlock
from pairstream.client import Client
from pairstream.connect import CREDIT_BYTES, connect
from pairstream.cursor import Cursor, Share
from pairstream.deck import Deck
from pairstream.errors import ConfigError
from pairstream.spec import StreamSpec
from pairstream.stats import ClientStats


@dataclass(eq=False)
class PairBatch:
    """A rank's part of a global batch as tensors: N consecutive pairs of the stream; a block, unless said otherwise.

    Attributes:
        index: the number of the block in which it begins; of a pool, the place in the order of reading.
        theta: parameters of both views, float32 (N, 2, P).
        audio: samples of both views, float32 or float16 (N, 2, T).
        fingerprint: names the arithmetic that rendered it.
        stream: names the `PairStream` it came from.
        pair: where in block `index` it begins.
        stats: what the client had measured, if it is in another process.
    """

    index: int
    theta: Tensor
    audio: Tensor
    fingerprint: str = ""
    stream: str = ""
    pair: int = 0
    stats: ClientStats | None = None

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
        values = (self.index, self.theta, self.audio, self.fingerprint, self.stream, self.pair, self.stats)
        return (_arrive, values)


class PairStream(IterableDataset[PairBatch]):
    """An endless dataset of batches: use it with `DataLoader(batch_size=None)`.

    Its state is where the consumer stands: exact with `num_workers=0` and `1`. Where something between
    the loader and you reads ahead (Lightning does, and `pin_memory` with a worker process), keep
    `state_after(batch)` of the last batch that you have used instead.

    Args:
        url: see `connect`.
        spec: the stream.
        experiment: the name under which workers count what they serve.
        start: where to begin, all ranks together: "first", an index, or "head", the highest index that any worker
            lately served to anyone. A state that is loaded wins.
        follow: "exact" takes every block from there on. "live" keeps near the head, and the state records what it
            skipped. Both "head" and "live" are for one process only.
        max_lag: blocks that a live experiment may fall behind the head until it jumps there.
        batch_pairs: pairs in a global batch, of all ranks together: whole blocks or a divisor of one, and a multiple
            of `world`; one block per rank unless said.
        pool: read no more blocks than this deck has, in its order, pass after pass; of the whole stream unless said.
        timeout: the longest wait for a block, in seconds.
        rank, world: this process's share of the stream.
        credit_bytes: how many bytes of blocks may be on their way ahead of the consumer.

    Raises:
        ConfigError: a setting that cannot be meant; the message quotes the value and the remedy.
    """

    def __init__(
        self,
        url: str,
        spec: StreamSpec,
        *,
        experiment: str = "default",
        start: Start = "first",
        follow: Follow = "exact",
        max_lag: int = MAX_LAG,
        batch_pairs: int | None = None,
        pool: Deck | None = None,
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
        check_following(follow, start, max_lag, self.share)
        if pool and (follow == "live" or start == "head"):
            raise ConfigError(f"follow={follow} from start={start}: a pool has no head; follow exactly, from an index")
        self.pool = pool
        pairs = spec.block_pairs * world if batch_pairs is None else batch_pairs
        self.batches = Batches(block_pairs=spec.block_pairs, batch_pairs=pairs, share=self.share)
        self.credit_bytes = credit_bytes
        self._start, self._follow, self._max_lag = start, follow, max_lag
        self._cursor = Cursor(next=start if isinstance(start, int) else 0)
        self._fingerprint = ""
        self._iterated_in = 0
        self._stats: ClientStats | None = None
        self._name = uuid.uuid4().hex
        _streams[self._name] = self

    def __iter__(self) -> Iterator[PairBatch]:
        worker = get_worker_info()
        if worker is not None and worker.num_workers > 1:
            raise ConfigError(f"num_workers={worker.num_workers}: a stream is one sequence; use num_workers=0 or 1")
        if worker is not None and self._iterated_in == os.getpid():  # this copy has read ahead of what was consumed
            raise ConfigError("persistent_workers=True would skip what was read ahead; leave it at False")
        self._iterated_in = os.getpid()
        with connect(
            self.url,
            self.spec,
            experiment=self.experiment,
            timeout=self.timeout,
            credit_bytes=self.credit_bytes,
            fingerprint=self._fingerprint or None,
        ) as client:
            for first, pieces in assemble(partial(self._blocks, client), self._parts(client)):
                stats = client.stats()
                batch = PairBatch(
                    first.index,
                    _joined([torch.from_numpy(block.theta[piece.first : piece.stop]) for piece, block in pieces]),
                    _joined([torch.from_numpy(block.audio[piece.first : piece.stop]) for piece, block in pieces]),
                    client.fingerprint,
                    self._name,
                    first.first,
                    stats if worker is not None else None,
                )
                self._stats = stats
                self._note(batch)
                yield batch

    def stats(self) -> ClientStats | None:
        """What the client had measured when it handed out the last batch; None before the first."""
        return self._stats

    def state_dict(self) -> dict[str, Any]:
        """Where the consumer stands: the `next` index, and the `fingerprint` of the arithmetic so far."""
        return self._cursor.state_dict() | {"fingerprint": self._fingerprint}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from `state` at the next `iter`. Without its fingerprint, any worker's arithmetic will do."""
        self._cursor = Cursor.from_state_dict(state)
        self._fingerprint = str(state.get("fingerprint", ""))

    def state_after(self, batch: PairBatch) -> dict[str, Any]:
        """The state from which to go on once `batch` has been used."""
        return self._after(batch).state_dict() | {"fingerprint": batch.fingerprint}

    def _blocks(self, client: Client, places: Iterator[int]) -> Iterator[PairBlock]:
        """The blocks at these places of the order of reading, numbered by their places."""
        if self.pool is None:
            return client.follow(places)
        for_client, places = tee(places)
        blocks = client.follow(map(self.pool.index, for_client))
        return (replace(block, index=place) for place, block in zip(places, blocks, strict=False))

    def _parts(self, client: Client) -> Iterator[tuple[Slice, ...]]:
        begin = self._cursor.position(self.spec.block_pairs)
        if self._start == "head" and begin == 0:  # nothing was taken yet
            begin = (client.head() or 0) * self.spec.block_pairs
        if self._follow == "live":
            return self.batches.live(begin, client.head, self._max_lag)
        return self.batches.exact(begin)

    def _after(self, batch: PairBatch) -> Cursor:
        skips = self._follow == "live" or self._start == "head"
        return self.batches.after(self._cursor, batch.index, batch.pair, skips=skips)

    def _note(self, batch: PairBatch) -> None:
        """The consumer has come to this batch."""
        self._cursor = self._after(batch)
        self._fingerprint = batch.fingerprint
        self._stats = batch.stats or self._stats


_streams: weakref.WeakValueDictionary[str, PairStream] = weakref.WeakValueDictionary()


def _joined(parts: list[Tensor]) -> Tensor:
    """(N, …) of several blocks; a view if it is one."""
    return parts[0] if len(parts) == 1 else torch.cat(parts)


def _arrive(*values: Any) -> PairBatch:
    batch = PairBatch(*values)
    if stream := _streams.get(batch.stream):
        stream._note(batch)
    return batch
