"""The cache: what is found again, what is not, and what goes first."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from pairstream.errors import ConfigError
from trainer.probes.cache import Cache, digest, digest_of_files

VECTORS = np.arange(12, dtype=np.float32).reshape(3, 4)


def test_what_was_put_is_got_byte_by_byte(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    assert cache.get("one") is None
    cache.put("one", VECTORS)
    found = Cache(tmp_path).get("one")
    assert found is not None
    assert (found.dtype, found.shape, found.tobytes()) == (VECTORS.dtype, VECTORS.shape, VECTORS.tobytes())


@pytest.mark.parametrize("damage", [b"", b"\x93NUMPY", b"not an array at all"])
def test_a_damaged_file_is_as_good_as_none(tmp_path: Path, damage: bytes) -> None:
    cache = Cache(tmp_path)
    cache.put("one", VECTORS)
    cache.path("one").write_bytes(damage)
    assert cache.get("one") is None
    cache.put("one", VECTORS)
    assert cache.get("one") is not None


def test_what_was_not_used_for_the_longest_time_goes_first(tmp_path: Path) -> None:
    cache = Cache(tmp_path, most_bytes=3 * (VECTORS.nbytes + 128))
    for age, name in enumerate(("used", "old", "newer")):
        cache.put(name, VECTORS)
        os.utime(cache.path(name), (1_000 + age, 1_000 + age))
    other = Cache(tmp_path, most_bytes=3 * (VECTORS.nbytes + 128))  # another process, which has used none of them
    assert other.get("used") is not None
    other.put("newest", VECTORS)
    assert sorted(path.stem for path in cache.folder.iterdir()) == ["newer", "newest", "used"]


def test_what_this_process_has_used_stays_however_much_it_is(tmp_path: Path) -> None:
    cache = Cache(tmp_path, most_bytes=1)
    for name in ("one", "two"):
        cache.put(name, VECTORS)
    assert cache.need("one").tobytes() == cache.need("two").tobytes() == VECTORS.tobytes()
    cache.path("one").unlink()
    with pytest.raises(ConfigError, match=r"one\.npy is not there any more"):
        cache.need("one")


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(ConfigError, match="choose another place"):
        Cache(tmp_path / "file").put("one", VECTORS)


def test_the_folder_is_the_user_s_unless_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert tmp_path / "pairstream" in Cache().folder.parents


def test_a_digest_knows_where_one_part_ends() -> None:
    assert len({digest("ab", "c"), digest("a", "bc"), digest("abc"), digest("c", "ab")}) == 4


def test_a_change_of_any_file_or_of_their_order_is_another_digest(tmp_path: Path) -> None:
    one, two = tmp_path / "1", tmp_path / "2"
    one.write_text("one")
    two.write_text("two")
    before = digest_of_files([one, two])
    assert digest_of_files([one, two]) == before != digest_of_files([two, one])
    two.write_text("tWo")
    assert digest_of_files([one, two]) != before
