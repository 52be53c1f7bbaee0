"""Intervals against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from trainer.probes.intervals import bootstrap, student


def hits(right: int, clips: int) -> np.ndarray:
    return (np.arange(clips) < right)[None]


@pytest.mark.parametrize(("right", "clips"), [(90, 100), (200, 400), (30, 900)])
def test_over_independent_clips_the_bootstrap_is_binomial(right: int, clips: int) -> None:
    found = bootstrap(hits(right, clips), np.arange(clips))
    low, high = stats.binom.ppf([0.025, 0.975], clips, right / clips) / clips
    assert found.mean == right / clips
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.012)
    assert found.over == f"{clips} recordings"


def test_clips_of_one_recording_count_as_one() -> None:
    alone = bootstrap(hits(20, 40), np.arange(40))
    copies = bootstrap(np.repeat(hits(20, 40), 9, axis=1), np.repeat(np.arange(40), 9))
    assert copies.half == pytest.approx(alone.half, rel=0.1)
    assert copies.over == "40 recordings"


def test_recordings_of_different_sizes_weigh_by_their_clips() -> None:
    right = np.array([[True, True, True, False]])
    found = bootstrap(right, np.array([0, 0, 0, 1]))
    assert (found.mean, found.low, found.high) == (0.75, 0.0, 1.0)


def test_the_draws_of_a_probe_are_resampled_too() -> None:
    """Clips agree with each other in every draw, so all of the spread is that of the draws."""
    right = np.repeat(np.arange(20)[:, None] < 10, 50, axis=1)
    low, high = stats.binom.ppf([0.025, 0.975], 20, 0.5) / 20
    found = bootstrap(right, np.arange(50))
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.051)


@pytest.mark.parametrize("always", [True, False])
def test_without_spread_there_is_no_width(always: bool) -> None:
    found = bootstrap(np.full((3, 7), always), np.arange(7))
    assert found.low == found.high == found.mean == float(always)


def test_the_bootstrap_is_the_same_every_time() -> None:
    assert bootstrap(hits(3, 9), np.arange(9)) == bootstrap(hits(3, 9), np.arange(9))


@pytest.mark.parametrize("values", [[0.1, 0.3], [0.5, 0.52, 0.47], [0.2, 0.2, 0.2]])
def test_over_runs_it_is_students(values: list[float]) -> None:
    found = student(np.array(values))
    error = stats.sem(values)
    low, high = stats.t.interval(0.95, len(values) - 1, loc=np.mean(values), scale=error) if error else (0.2, 0.2)
    assert (found.low, found.high) == pytest.approx((low, high))
    assert found.over == f"{len(values)} runs"


def test_of_two_runs_it_is_as_wide_as_the_table_says() -> None:
    assert student(np.array([0.4, 0.6])).half == pytest.approx(12.706 * 0.1, rel=1e-4)
