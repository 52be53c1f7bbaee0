"""A worker's memory is flat, however long it runs and however its clients behave."""

from __future__ import annotations

import pytest

from benchmarks.hour import measure


@pytest.mark.slow
def test_memory_is_flat_over_many_blocks_and_clients():
    found = measure(blocks=30_000)
    assert found["clients"] > 2_000
    assert found["served"] > found["blocks"] / 2
    assert found["shed"] > 0
    assert found["ratio"] < 1.1, found
