"""Copying past the cache, byte by byte, wherever it begins and ends."""

from __future__ import annotations

import platform
import sys

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth_server import past_cache, stores
from synth_server.past_cache import LINE, copy_past_cache, prepare


@pytest.fixture(autouse=True, scope="module")
def prepared() -> None:
    prepare().join()


@given(before=st.integers(0, 2 * LINE), skipped=st.integers(0, LINE), count=st.integers(0, 5 * LINE))
def test_these_bytes_are_copied_and_no_others(before: int, skipped: int, count: int) -> None:
    source = np.random.default_rng(count).integers(0, 256, skipped + count, np.uint8)
    memory = np.full(before + count + 2 * LINE, 7, np.uint8)
    expected = memory.copy()
    expected[before : before + count] = source[skipped:]
    copy_past_cache(memory[before : before + count], source[skipped:])
    assert memory.tobytes() == expected.tobytes()


def test_a_block_is_copied_as_numpy_copies_it() -> None:
    source = np.random.default_rng(0).integers(0, 256, 8_000_000, np.uint8)
    copied = np.zeros_like(source)
    copy_past_cache(copied, source)
    assert np.array_equal(copied, source)


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="only x86-64 has these stores")
def test_the_stores_are_non_temporal() -> None:
    compiled = numba.njit("void(intp, intp, intp)")(stores._copy_lines)  # anew: what was kept cannot be looked into
    assert all("movnt" in text for text in compiled.inspect_asm().values())


def test_without_numba_it_is_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "synth_server.stores", None)
    monkeypatch.setattr(past_cache._Stores, "copy_lines", None)
    past_cache._load()
    copied = np.zeros(3 * LINE, np.uint8)
    copy_past_cache(copied, np.arange(3 * LINE, dtype=np.uint8))
    assert past_cache._Stores.copy_lines is None
    assert np.array_equal(copied, np.arange(3 * LINE, dtype=np.uint8))
