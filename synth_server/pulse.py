"""Pulse: whether this worker still renders. A block was made lately; if none was wanted, one is made for the question.

So an idle worker is well, and one whose rendering or serving thread hangs is not, although its ports are open.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Condition
from typing import Final

from pairstream.http_server import Health

#: For so many seconds after a block it is believed that another could be rendered.
LATELY: Final = 20.0
#: Seconds that a block which is rendered for the question may take.
PATIENCE: Final = 5.0


class Pulse:
    """Told of blocks by the serving thread, asked by whichever thread has a /healthz to answer.

    Args:
        ring: wakes the serving thread, which then looks at `probe_wanted`.
        lately: see `LATELY`.
        patience: see `PATIENCE`.
        clock: seconds that never run backwards.
    """

    def __init__(
        self,
        ring: Callable[[], None],
        *,
        lately: float = LATELY,
        patience: float = PATIENCE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ring, self._lately, self._patience, self._clock = ring, lately, patience, clock
        self._changed = Condition()
        self._last = clock()
        self._wanted = False
        self._off = Health(well=False, why="no block rendered yet")
        self._on = False

    def start(self) -> None:
        """A block was rendered: the worker is ready."""
        self._on = True
        self.beat()

    def stop(self) -> None:
        """The worker is draining."""
        self._off = Health(well=False, why="draining")
        self._on = False

    def beat(self) -> None:
        """A block was rendered now."""
        with self._changed:
            self._last = self._clock()
            self._changed.notify_all()

    def probe_wanted(self) -> bool:
        """Whether a block is to be rendered for the question; true once."""
        with self._changed:
            wanted, self._wanted = self._wanted, False
        return wanted

    def health(self) -> Health:
        """Ready, or why not; takes up to `patience` seconds."""
        if not self._on:
            return self._off
        with self._changed:
            if not self._fresh():
                self._wanted = True
                self._ring()
                self._changed.wait_for(self._fresh, self._patience)
            if self._fresh():
                return Health(well=True)
        return Health(well=False, why=f"no block for {self._clock() - self._last:.0f} s, though one was asked for")

    def _fresh(self) -> bool:
        return self._clock() - self._last < self._lately
