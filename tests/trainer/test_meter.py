"""The meter, with a clock of our own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from trainer.meter import Meter, Spent


class Clock:
    """Shows what it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def slow_loader(clock: Clock, seconds: float) -> Iterator[int]:
    for item in range(3):
        clock.now += seconds
        yield item


def test_only_the_time_blocked_in_next_is_waiting() -> None:
    clock = Clock()
    meter = Meter(clock)
    for _ in meter.watching(slow_loader(clock, seconds=1.0)):
        clock.now += 3.0
        meter.stepped(128)
    spent = meter.read()
    assert spent == Spent(steps=3, pairs=384, seconds=12.0, waited=3.0)
    assert spent.wait_fraction == pytest.approx(0.25)
    assert spent.pairs_per_second == pytest.approx(32.0)


def test_before_the_first_block_nothing_is_spent() -> None:
    meter = Meter(Clock())
    assert meter.read() == Spent()
    assert (meter.read().wait_fraction, meter.read().pairs_per_second) == (0.0, 0.0)


def test_earlier_sessions_count() -> None:
    clock = Clock()
    meter = Meter(clock)
    meter.before = Spent(steps=10, pairs=100, seconds=5.0, waited=1.0)
    for _ in meter.watching(slow_loader(clock, seconds=1.0)):
        meter.stepped(10)
    assert meter.read() == Spent(steps=13, pairs=130, seconds=8.0, waited=4.0)
    assert meter.read() - meter.before == Spent(steps=3, pairs=30, seconds=3.0, waited=3.0)
