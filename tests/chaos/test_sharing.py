"""Experiments in step on one stream: what one has rendered, all take."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("size", [1, 2])
def test_a_worker_renders_a_block_once_for_all_experiments(size: int) -> None:
    from benchmarks.sharing import fleet, in_step

    with fleet(size) as workers:
        for experiments in (1, 8):
            row = in_step(workers, experiments, 100, experiments * 100)
            assert row["served"] >= 100 * experiments
            assert 100 <= row["rendered"] <= 100 * size, "a worker renders no block twice"
