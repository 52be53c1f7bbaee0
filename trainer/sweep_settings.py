"""The settings of `trainer sweep`. Nothing heavy is loaded here, so that `--help` is quick."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from pairstream.errors import ConfigError
from trainer.config import Accelerator
from trainer.probe_settings import ProbeName


@dataclass(frozen=True, kw_only=True)
class SweepSettings:
    """Train a grid of experiments, some at once, then probe them all and make one table of it."""

    to: Path
    """Folder of the run folders, and of the table; the same command again goes on where it was."""
    grid: list[str] = field(default_factory=list)
    """Settings of `trainer fit` and their values: spec.delta=0.05,0.1 seed=0,1 preset=cpu. Every combination is run."""
    grid_file: Path | None = None
    """The same as YAML or JSON: a mapping from settings to lists of values, or a list of such mappings."""
    stream: list[str] = field(default_factory=list)
    """Where the blocks come from, local:// unless said; of several, runs of one spec use the same."""
    at_once: int = 2
    """Runs that train at the same time."""
    threads: int | None = None
    """Threads of each run's arithmetic; the cores divided by at_once unless said."""
    data: list[Path] = field(default_factory=list)
    """Folders of labelled recordings to probe all runs on in the end; none for no table."""
    probe: list[ProbeName] = field(default_factory=list)
    """linear, mlp, knn and few-shot; all of them unless said."""
    figures: bool = False
    """Also draw figures of the probes."""
    cache: Path | None = None
    """Folder for embeddings and scores that need not be computed again; the user's cache folder unless said."""
    accelerator: Accelerator = "auto"
    """auto, cpu or gpu."""
    patience: float = 60.0
    """Seconds that a run has to write its checkpoint when the sweep is stopped."""

    def __post_init__(self) -> None:
        if not self.grid and self.grid_file is None:
            raise ConfigError("there is nothing to run; say --grid spec.delta=0.05,0.1 seed=0,1, or --grid_file FILE")
        for name in ("at_once", "threads"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ConfigError(f"{name}={value} is no count; use at least 1")
        if not self.patience >= 0:
            raise ConfigError(f"patience={self.patience} is no time; use some seconds")
