"""The bound that a worker compares its memory with."""

from __future__ import annotations

from pathlib import Path

import pytest

from synth_server.memory import memory_limit


@pytest.mark.parametrize(("bound", "expected"), [("1073741824\n", 1 << 30), ("max\n", None), (f"{1 << 63}\n", None)])
def test_a_containers_bound_or_else_the_machines_memory(bound: str, expected: int | None, tmp_path: Path):
    machine = memory_limit([tmp_path / "missing"])
    assert machine > 1 << 30
    (tmp_path / "memory.max").write_text(bound)
    assert memory_limit([tmp_path / "missing", tmp_path / "memory.max"]) == (expected or machine)
