"""Workers that are killed and stopped while experiments read: judged on bytes, never on time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("wire", ["tcp", "shm"])
def test_four_workers_killed_and_stopped_at_random_change_no_byte_of_any_experiment(wire: str) -> None:
    command = [sys.executable, "-m", "benchmarks.chaos", "--seconds", "10", "--wire", wire, "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert found["wrong"] == []
    assert found["kills"] >= 3
    assert found["stops"] >= 1
    assert all(found["blocks"].values())


def test_a_reader_that_misses_a_block_or_gets_another_is_told_of() -> None:
    from benchmarks.chaos import READERS, SPEC, Noise, Taken, differences

    source = Noise(SPEC)
    streams = {}
    for reader in READERS:
        indices = list(range(reader.rank, 8, reader.world))
        streams[reader.name] = Taken(indices, [source.render(index).sha256() for index in indices])
    assert differences(streams) == []
    del streams["fast"].indices[3], streams["fast"].digests[3]
    streams["slow"].indices.insert(2, 1)
    streams["slow"].digests.insert(2, streams["slow"].digests[1])
    streams["rank-1"].digests[0] = "0" * 64
    streams["late"] = Taken()
    assert differences(streams) == [
        "fast got block 4 where 3 is next",
        "slow got block 1 where 2 is next",
        "rank-1: the bytes differ from the reference",
        "late got nothing",
    ]
