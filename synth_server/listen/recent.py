"""What was lately looked at: made once however many ask for it, bounded in bytes, the longest unused leave first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from threading import Lock
from typing import Generic, Protocol, TypeVar


class Sized(Protocol):
    """What knows how much memory it takes."""

    @property
    def nbytes(self) -> int:
        """Bytes."""


Item = TypeVar("Item", bound=Sized)


class Recent(Generic[Item]):
    """A cache for several threads.

    Args:
        limit_bytes: of what is kept; something larger is made and not kept.
    """

    def __init__(self, limit_bytes: int) -> None:
        self.bytes = 0
        self._limit = limit_bytes
        self._lock = Lock()
        self._kept: OrderedDict[Hashable, Item] = OrderedDict()
        self._making: dict[Hashable, Future[Item]] = {}

    def get(self, key: Hashable, make: Callable[[], Item], timeout: float) -> Item:
        """What `make` gives, or gave. Whoever asks while it is being made waits, and shares its exception.

        Raises:
            TimeoutError: another thread is making it, and was not done in `timeout` seconds.
        """
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
            mine = key not in self._making
            future = self._making.setdefault(key, Future())
        if mine:
            self._make(key, make, future)
        return future.result(timeout)

    def _make(self, key: Hashable, make: Callable[[], Item], future: Future[Item]) -> None:
        try:
            item = make()
        except BaseException as error:
            with self._lock:
                del self._making[key]
            future.set_exception(error)
            return
        with self._lock:
            del self._making[key]
            self._keep(key, item)
        future.set_result(item)

    def _keep(self, key: Hashable, item: Item) -> None:
        if item.nbytes > self._limit:
            return
        self._kept[key] = item
        self.bytes += item.nbytes
        while self.bytes > self._limit:
            _, oldest = self._kept.popitem(last=False)
            self.bytes -= oldest.nbytes
