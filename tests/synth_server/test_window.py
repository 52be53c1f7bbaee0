"""The window never holds more than its bound, and lets go of what was asked for longest ago."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from toy_source import TOY, ToySource

from synth_server.window import Window

SOURCE = ToySource(TOY)
BLOCK = SOURCE.render(0).nbytes


def test_the_least_recently_asked_for_leaves_first():
    window = Window(3 * BLOCK)
    for index in range(3):
        window.put((TOY.digest, index), SOURCE.render(index))
    assert window.get((TOY.digest, 0)) is not None
    window.put((TOY.digest, 3), SOURCE.render(3))
    held = [index for index in range(4) if window.get((TOY.digest, index))]
    assert held == [0, 2, 3]


def test_a_block_larger_than_the_window_is_not_kept():
    window = Window(BLOCK - 1)
    window.put((TOY.digest, 0), SOURCE.render(0))
    assert (window.bytes, window.get((TOY.digest, 0))) == (0, None)


@given(st.lists(st.integers(0, 9)), st.integers(0, 4))
def test_the_bound_holds_and_the_count_is_true(indices: list[int], blocks: int):
    window = Window(blocks * BLOCK)
    for index in indices:
        window.put((TOY.digest, index), SOURCE.render(index))
        held = [key for key in range(10) if window.get((TOY.digest, key))]
        assert window.bytes == len(held) * BLOCK <= window.limit_bytes
