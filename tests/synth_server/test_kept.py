"""Compiled code is kept where an operator says, survives having nowhere to be kept, and a first start says so."""

from __future__ import annotations

import importlib.util
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numba
import pytest
from numba.core.caching import CacheImpl

from synth_server import kept

SOURCE = """
from synth_server.kept import kept

def add(x):
    return x + {addend}

add = kept(add, nogil=True)
"""


@pytest.fixture(autouse=True)
def warnings(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.LogCaptureFixture]:
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    kept._tell.cache_clear()
    with caplog.at_level(logging.WARNING, "synth_server.kept"):
        yield caplog
    kept._tell.cache_clear()


def load(folder: Path, addend: int = 1) -> Any:
    """`add` of a module in `folder`, as a new process would have it."""
    path = folder / f"adding_{addend}.py"
    if not path.exists():
        path.write_text(SOURCE.format(addend=addend))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.add


def test_the_first_start_compiles_and_says_so_and_the_second_does_neither(
    tmp_path: Path, warnings: pytest.LogCaptureFixture
):
    first = load(tmp_path)
    assert first(1) == 2
    assert (sum(first.stats.cache_misses.values()), kept.folder_of(first)) == (1, tmp_path / "__pycache__")
    assert ["compiling" in record.message for record in warnings.records] == [True]
    warnings.clear()
    kept._tell.cache_clear()
    second = load(tmp_path)
    assert second(1) == 2
    assert sum(second.stats.cache_hits.values()) == 1
    assert warnings.records == []


def test_what_others_compile_is_not_announced(warnings: pytest.LogCaptureFixture):
    assert numba.njit(lambda x: x - 1)(1) == 0
    assert warnings.records == []


def test_code_that_can_be_kept_nowhere_is_compiled_all_the_same_with_one_warning(
    tmp_path: Path, warnings: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(CacheImpl, "_locator_classes", [])
    functions = [load(tmp_path, addend) for addend in (1, 2)]
    assert [function(1) for function in functions] == [2, 3]
    assert [kept.folder_of(function) for function in functions] == [None, None]
    told = [record.message for record in warnings.records]
    assert len(told) == 2
    assert "cannot be kept" in told[0]
    assert "NUMBA_CACHE_DIR" in told[0]
    assert "compiling" in told[1]
    assert not list(tmp_path.glob("__pycache__/*.nbi"))


def test_a_folder_for_compiled_code_that_cannot_be_written_is_named(
    tmp_path: Path, warnings: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("NUMBA_CACHE_DIR", "/proc/nowhere")
    monkeypatch.setattr(numba.config, "CACHE_DIR", "/proc/nowhere")
    assert load(tmp_path)(1) == 2
    assert "NUMBA_CACHE_DIR=/proc/nowhere cannot be written" in warnings.records[0].message


def test_other_trouble_is_not_taken_for_this(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def fail(*_: Any) -> None:
        raise RuntimeError("something else")

    monkeypatch.setattr(CacheImpl, "__init__", fail)
    with pytest.raises(RuntimeError, match="something else"):
        load(tmp_path)


@pytest.mark.slow
def test_a_worker_compiles_once_without_a_compiler_and_keeps_it_where_it_is_told(tmp_path: Path):
    """All of `synth-server render`, with nothing on the PATH."""
    cache, out = tmp_path / "cache", tmp_path / "out"
    environment = {**os.environ, "PATH": str(tmp_path), "NUMBA_CACHE_DIR": str(cache)}
    command = [sys.executable, "-m", "synth_server.cli", "render", "--out", str(out), "--pairs", "1"]
    command += ["--spec.block_pairs", "2"]
    said = [
        subprocess.run(command, env=environment, check=True, capture_output=True, text=True, timeout=110).stderr
        for _ in range(2)
    ]
    assert "compiling" in said[0]
    assert said[1] == ""
    assert list(cache.glob("fused_*/kernel*.nbc"))
    assert len(list(out.glob("*.json"))) == 1
