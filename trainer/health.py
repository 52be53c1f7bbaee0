"""Whether a training gets on: what /healthz of a trainer says."""

from __future__ import annotations

from pairstream.http_server import Health
from trainer.meter import Meter


def health(meter: Meter, patience: float) -> Health:
    """Well if the last step of this session is less than `patience` seconds old."""
    since = meter.since_step()
    if since is None:
        return Health(well=False, why="no step yet")
    return Health(well=True) if since < patience else Health(well=False, why=f"no step for {since:.0f} s")
