"""How many processor cores this process may use: those it is bound to, and no more than its container's share."""

from __future__ import annotations

import math
import os
from pathlib import Path

#: Where a container sees its own share: of version 2 of control groups, and of version 1.
CONTROL_GROUP = Path("/sys/fs/cgroup")


def usable_cores(control_group: Path = CONTROL_GROUP) -> int:
    """At least 1; part of a core is one."""
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    share = _share(control_group)
    return bound if share is None else min(bound, math.ceil(share))


def _share(control_group: Path) -> float | None:
    """Cores' worth of time that the container may take, if that is said."""
    for names in (("cpu.max",), ("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us")):
        try:
            quota, period = (int(word) for name in names for word in (control_group / name).read_text().split())
        except (OSError, ValueError):  # no such file, or "max"
            continue
        if quota > 0 and period > 0:
            return quota / period
    return None
