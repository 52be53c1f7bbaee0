"""The demand: how many workers would end the consumer's wait."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairstream.stats import MAX_GROWTH, MEMORY_SECONDS, Demand


def steady(seconds: float, waited: float, steps: int = 2_000) -> Demand:
    demand = Demand()
    for _ in range(steps):
        demand.note(seconds, waited)
    return demand


@pytest.mark.parametrize(
    ("seconds", "waited", "now", "wanted"),
    [
        (0.2, 0.0, 3, 3.0),  # it never waits
        (0.2, 0.1, 3, 6.0),  # it waits half of the time: twice the workers
        (0.2, 0.05, 3, 4.0),
        (0.2, 0.2, 3, 3 * MAX_GROWTH),  # it does nothing else
        (0.2, 0.0, 0, 1.0),
    ],
)
def test_the_wait_says_how_many_workers_are_missing(seconds: float, waited: float, now: int, wanted: float):
    assert steady(seconds, waited).workers_desired(now) == pytest.approx(wanted)


def test_before_anything_was_measured_what_there_is_will_do():
    assert Demand().workers_desired(5) == 5.0


def test_with_the_workers_that_it_asked_for_it_asks_for_no_more():
    """A trainer that needs 0.1 s a step, and workers that need 0.3 s each for a block."""
    workers = 1.0
    for _ in range(6):
        took = max(0.1, 0.3 / workers)
        workers = steady(took, took - 0.1).workers_desired(round(workers))
    assert workers == pytest.approx(3.0)


def test_one_slow_block_moves_little_and_is_forgotten():
    demand = steady(0.1, 0.0)
    demand.note(2.1, 2.0)
    assert demand.workers_desired(10) < 10.5
    for _ in range(round(5 * MEMORY_SECONDS / 0.1)):
        demand.note(0.1, 0.0)
    assert demand.workers_desired(10) == pytest.approx(10.0, rel=1e-3)


@given(st.lists(st.tuples(st.floats(0, 1e4), st.floats(0, 1)), max_size=50), st.integers(0, 100))
def test_it_is_bounded_whatever_was_measured(steps: list[tuple[float, float]], now: int):
    demand = Demand()
    for seconds, share in steps:
        demand.note(seconds, seconds * share)
    assert max(1, now) <= demand.workers_desired(now) * (1 + 1e-9)
    assert demand.workers_desired(now) <= max(1.0, MAX_GROWTH * now)
