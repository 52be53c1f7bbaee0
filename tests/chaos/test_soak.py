"""Clients that ask and never read, or vanish: the worker's memory does not grow with them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


def test_a_worker_s_memory_is_flat_whatever_its_clients_do() -> None:
    command = [sys.executable, "-m", "benchmarks.soak", "--blocks", "6000", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["clients"] == 180


def test_a_worker_whose_memory_grows_is_told_of() -> None:
    from benchmarks.soak import GROWTH_MIB, MIB, report

    leaking = report([(100 + 2 * visit) * MIB for visit in range(60)])
    assert leaking["grown_mib"] > GROWTH_MIB
    assert report([100 * MIB] * 60)["grown_mib"] == 0
