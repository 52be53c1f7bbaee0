"""Provenance: what a run was made by: versions, the state of the code's repository, the machine, the command line.

The machine is described, not named: a folder that is handed on should say on what it was computed, not where.
"""

from __future__ import annotations

import os
import platform
import shlex
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

#: Whose version can change a number of a run or of a probe.
PACKAGES = (
    "pairstream", "torch", "pytorch-lightning", "numpy", "numba", "numba-cuda", "audiomentations", "scikit-learn",
    "soundfile", "soxr", "safetensors",
)  # fmt: skip
GIT_SECONDS = 10.0


def provenance() -> dict[str, Any]:
    """All of it as plain values; `git` only if this code lies in a repository that holds it."""
    state = git_state(Path(__file__))
    return {
        "command": shlex.join(sys.argv),
        "versions": versions(),
        "machine": machine(),
        **({"git": state} if state else {}),
    }


def versions() -> dict[str, str]:
    """Python, CUDA and cuDNN where torch has them, and the packages that are installed."""
    found = {"python": platform.python_version()}
    if torch.version.cuda:
        found |= {"cuda": torch.version.cuda, "cudnn": str(torch.backends.cudnn.version())}  # type: ignore[no-untyped-call]
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def machine() -> dict[str, Any]:
    """Processor, cores that this process may use, threads of torch, memory in bytes, and CUDA cards."""
    cards = [torch.cuda.get_device_properties(card) for card in range(torch.cuda.device_count())]
    return {
        "system": platform.platform(),
        "processor": processor_name(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "threads": torch.get_num_threads(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "cards": [{"name": card.name, "memory_bytes": card.total_memory} for card in cards],
    }


def processor_name() -> str:
    """As Linux calls it, or as Python does elsewhere."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def git_state(file: Path) -> dict[str, Any] | None:
    """The commit that `file` was checked out from, and whether any tracked file differs from it.

    None where there is no git, or where `file` only happens to lie in someone's repository, as in a `.venv`.
    """
    if _git(file.parent, "ls-files", "--error-unmatch", file.name) is None:
        return None
    commit, changes = _git(file.parent, "rev-parse", "HEAD"), _git(file.parent, "status", "--porcelain", "-uno")
    return {"commit": commit, "dirty": bool(changes)} if commit and changes is not None else None


def _git(folder: Path, *arguments: str) -> str | None:
    """What git says, or None if it says no or is not there. It takes no lock that another git might wait for."""
    try:
        done = subprocess.run(
            ["git", "--no-optional-locks", "-C", str(folder), *arguments],
            capture_output=True, text=True, timeout=GIT_SECONDS, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
