"""ReadAhead: the next batches are read and sent to the card while the step before them is computed.

A step of 768 pairs takes a card some 20 ms, and a processor about as long to receive its 49 MB (float16), to copy
them to page-locked memory and to send them. So a thread does that. On a CPU nothing is gained: there the loader is
used as it is.
"""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterable, Iterator
from threading import Event, Thread
from typing import Final, TypeVar

import torch

from pairstream.torch import PairBatch

#: Batches that are ready, or nearly: one to train on next, one in the making.
DEPTH: Final = 2
#: Seconds between two looks at whether anybody still wants batches, and to wait for the thread in the end.
LOOK_SECONDS, JOIN_SECONDS = 0.2, 5.0

Item = TypeVar("Item")

#: Begins to send a batch, on the reading thread; what it returns is called on the training thread and gives the batch.
Send = Callable[[PairBatch], Callable[[], PairBatch]]


class ReadAhead:
    """The batches of `loader`, in order, each handed to `send` before it is asked for.

    An error of the loader is raised where its batch would have come. Leaving the iteration ends the thread; one that
    waits for a block meanwhile ends when that wait does.
    """

    def __init__(self, loader: Iterable[PairBatch], send: Send) -> None:
        self._loader = loader
        self._send = send

    def __iter__(self) -> Iterator[PairBatch]:
        ready: queue.Queue[Callable[[], PairBatch] | BaseException | None] = queue.Queue(DEPTH)
        stop = Event()
        thread = Thread(target=self._read, args=(ready, stop), name="read-ahead", daemon=True)
        thread.start()
        try:
            while (item := ready.get()) is not None:
                if isinstance(item, BaseException):
                    raise item
                yield item()
        finally:
            stop.set()
            thread.join(JOIN_SECONDS)

    def _read(self, ready: queue.Queue[Callable[[], PairBatch] | BaseException | None], stop: Event) -> None:
        last: BaseException | None = None
        try:
            for batch in self._loader:
                if not _put(ready, self._send(batch), stop):
                    return
        except BaseException as error:  # the training thread raises it
            last = error
        _put(ready, last, stop)


class ToCard:
    """Sends batches out of page-locked memory to a card, on a stream of its own beside the one that computes."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._copying = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]

    def __call__(self, batch: PairBatch) -> Callable[[], PairBatch]:
        """Begin to send `batch`."""
        with torch.cuda.stream(self._copying):
            sent = batch.to(self._device, non_blocking=True)
            whole = self._copying.record_event()
        return lambda: self._arrived(sent, whole)

    def _arrived(self, batch: PairBatch, whole: torch.cuda.Event) -> PairBatch:
        """The batch, for the stream that computes: it waits for the copy, not this thread."""
        computing = torch.cuda.current_stream(self._device)
        computing.wait_event(whole)
        for tensor in (batch.theta, batch.audio):
            tensor.record_stream(computing)
        return batch


def _put(ready: queue.Queue[Item], item: Item, stop: Event) -> bool:
    """False if nobody wants it any more."""
    while not stop.is_set():
        try:
            ready.put(item, timeout=LOOK_SECONDS)
        except queue.Full:
            continue
        return True
    return False
