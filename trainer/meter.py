"""Meter: how long a training takes, and how much of that it waits for data.

Waiting is the time that the training loop is blocked in `next()`, nothing else; its share of the wall
time is the wait fraction. On a GPU the loop runs ahead of the device, so a wait need not be an idle
device: the fraction is an upper bound of what faster rendering could gain.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

Item = TypeVar("Item")
Clock = Callable[[], float]


@dataclass(frozen=True)
class Spent:
    """What was trained in which time. Differences of two readings are one, too."""

    steps: int = 0
    pairs: int = 0
    seconds: float = 0.0
    waited: float = 0.0

    def __sub__(self, earlier: Spent) -> Spent:
        return Spent(
            self.steps - earlier.steps,
            self.pairs - earlier.pairs,
            self.seconds - earlier.seconds,
            self.waited - earlier.waited,
        )

    @property
    def wait_fraction(self) -> float:
        """Seconds blocked in next() per second of wall time."""
        return self.waited / self.seconds if self.seconds > 0 else 0.0

    @property
    def pairs_per_second(self) -> float:
        """Pairs trained on per second of wall time."""
        return self.pairs / self.seconds if self.seconds > 0 else 0.0


class Meter:
    """Counts from the first `next()` on; `before` is what earlier sessions of the run have spent."""

    def __init__(self, clock: Clock = time.perf_counter) -> None:
        self.before = Spent()
        self._clock = clock
        self._began: float | None = None
        self._steps = 0
        self._pairs = 0
        self._waited = 0.0
        self._stepped: float | None = None

    def watching(self, loader: Iterable[Item]) -> Iterator[Item]:
        """The items of `loader`, with the time spent waiting for each counted."""
        asked = self._began = self._clock()
        for item in loader:
            self._waited += self._clock() - asked
            yield item
            asked = self._clock()

    def stepped(self, pairs: int, *, steps: int = 1) -> None:
        """`steps` optimiser steps on `pairs` pairs, of all processes together, are done; 0 within a step."""
        self._steps += steps
        self._pairs += pairs
        self._stepped = self._clock()

    def since_step(self) -> float | None:
        """Seconds since the last step of this session; None before the first. Any thread may ask."""
        return None if self._stepped is None else self._clock() - self._stepped

    def read(self) -> Spent:
        """Everything spent until now, earlier sessions included."""
        seconds = 0.0 if self._began is None else self._clock() - self._began
        was = self.before
        return Spent(was.steps + self._steps, was.pairs + self._pairs, was.seconds + seconds, was.waited + self._waited)
