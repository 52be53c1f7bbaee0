"""probe: what has an encoder learned? Linear probes on labelled recordings, beside two baselines.

In one run, with the same clips, splits and classifier: log-mel statistics (no encoder at all), the
encoder as it was before training (same seed), and the trained encoder; both of the latter at the
pooled layer and at the final one, since the paper does not say which it used.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from pairstream.errors import ConfigError
from trainer.checkpoints import load_model
from trainer.embed import LOG_MEL, represent
from trainer.linear_probe import accuracy
from trainer.model import untrained_model
from trainer.recordings import Recordings, read_manifest

REPRESENTATIONS = (LOG_MEL, "untrained pooled", "untrained final", "trained pooled", "trained final")
DEFAULT_C = 0.1


@dataclass(frozen=True, kw_only=True)
class ProbeRow:
    """One folder of recordings: accuracy of every representation."""

    data: str
    clips: int
    classes: int
    protocol: str
    chance: float
    accuracy: dict[str, float]


@dataclass(frozen=True, kw_only=True)
class ProbeTable:
    """A row per folder, and what they have in common."""

    checkpoint: str
    c: float
    rows: tuple[ProbeRow, ...]


def probe(
    checkpoint: Path, data: Sequence[Path], *, c: float = DEFAULT_C, device: torch.device | str = "cpu"
) -> ProbeTable:
    """Probe the encoder of a run folder or checkpoint file on each folder of `data`.

    Raises:
        ConfigError: no folder is named, or `c` is no strength.
        CheckpointError: no checkpoint that can be used.
        DataError: a manifest or clip that cannot be used.
    """
    if not data:
        raise ConfigError("there is nothing to probe on; name folders with a manifest.csv: --data FOLDER [FOLDER …]")
    if not 0 < c < float("inf"):
        raise ConfigError(f"c={c} is no inverse strength of a penalty; use a number above 0, such as {DEFAULT_C}")
    trained, plan = load_model(checkpoint)
    models = {"untrained": untrained_model(plan.recipe, plan.seed), "trained": trained}
    manifests = [read_manifest(folder) for folder in data]
    rows = []
    for recordings in manifests:
        vectors = represent(recordings.files, models, device)
        rows.append(_row(recordings, {name: accuracy(recordings, vectors[name], c) for name in REPRESENTATIONS}))
    return ProbeTable(checkpoint=str(checkpoint), c=c, rows=tuple(rows))


def _row(recordings: Recordings, accuracies: dict[str, float]) -> ProbeRow:
    return ProbeRow(
        data=recordings.name,
        clips=len(recordings.files),
        classes=recordings.classes,
        protocol=recordings.protocol,
        chance=1.0 / recordings.classes,
        accuracy=accuracies,
    )
