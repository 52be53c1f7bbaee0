"""Arrays in the memory of bytes: filled like any other, and sent without a copy if they are the whole of it."""

from __future__ import annotations

import numpy as np
import pytest

from pairstream import sendable


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_an_array_that_is_filled_and_its_bytes(dtype: str):
    array = sendable.empty((3, 2, 5), dtype)
    assert (array.shape, array.dtype.name, array.flags.c_contiguous, array.flags.writeable) == (
        (3, 2, 5),
        dtype,
        True,
        True,
    )
    array[...] = np.arange(30).reshape(3, 2, 5)
    sent = sendable.bytes_of(array.data.cast("B"))
    assert sent == np.arange(30).astype(dtype).tobytes()
    assert np.shares_memory(array, np.frombuffer(sent, np.uint8))


def test_views_of_the_whole_are_sent_as_they_are_and_parts_are_copied():
    array = sendable.empty((4, 6), "float32")
    array[...] = np.arange(24).reshape(4, 6)
    whole, part = array.reshape(2, 2, 6), array[1:]
    assert sendable.bytes_of(whole.data.cast("B")) is sendable.bytes_of(array.data.cast("B"))
    assert sendable.bytes_of(part.data.cast("B")) == part.tobytes()


def test_other_memory_is_copied_and_bytes_are_themselves():
    array, header = np.arange(6.0), b"header"
    assert sendable.bytes_of(array.data.cast("B")) == array.tobytes()
    assert sendable.bytes_of(header) is header


def test_an_array_outlives_whoever_made_it():
    arrays = [sendable.empty((1_000,), "float32") for _ in range(50)]
    for number, array in enumerate(arrays):
        array.fill(number)
    views = [array[10:20] for array in arrays]
    del arrays
    assert [view.tolist() for view in views] == [[number] * 10 for number in range(50)]


def test_an_empty_array():
    assert sendable.empty((0, 16_000), "float32").shape == (0, 16_000)
