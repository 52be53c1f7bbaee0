"""StepRecord: what is known after a step, and the places that it is told to.

A sink is a place: the journal, TensorBoard, Prometheus, the progress bar. Sinks read; none decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from pairstream.torch import PairBatch


@dataclass(frozen=True, kw_only=True)
class StepRecord:
    """The state of a training after `step` optimiser steps."""

    step: int
    index: int
    """The block that this step was trained on."""
    next_index: int
    """The cursor: the first block not yet trained on."""
    pairs: int
    """Pairs trained on since the run began."""
    seconds: float
    """Wall time since the run began, interruptions left out."""
    waited: float
    """Seconds of it spent waiting for data."""
    loss: float
    """Of the step's last batch."""
    alignment: float
    """Of the encoder's final layer, whatever the objective; see `objectives/alignment_uniformity.py`."""
    uniformity: float
    lr: float
    wait_fraction: float
    """Share of the wall time since the last record spent waiting for data."""
    pairs_per_second: float
    """Pairs per second of wall time since the last record."""
    terms: Mapping[str, float] = field(default_factory=dict)
    """What else the objective names."""


class Sink(Protocol):
    """A place that records are told to."""

    def first_batch(self, batch: PairBatch) -> None:
        """The first batch of this session, for those who want to show a few sounds."""

    def record(self, record: StepRecord) -> None:
        """A step is done."""

    def close(self) -> None:
        """The training has ended, well or not; idempotent."""
