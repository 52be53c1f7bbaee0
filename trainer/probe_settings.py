"""The settings of `trainer probe`. Nothing heavy is loaded here, so that `--help` is quick."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from pairstream.errors import ConfigError
from trainer.config import Accelerator

ProbeName = Literal["linear", "mlp", "knn", "few-shot"]
Layer = Literal["pooled", "final"]
Projection = Literal["pca", "tsne"]


@dataclass(frozen=True, kw_only=True)
class ProbeSettings:
    """Measure what encoders have learned: probes on labelled recordings, beside untrained encoders and log-mel."""

    checkpoint: list[str] = field(default_factory=list)
    """Run folders (their newest checkpoint), checkpoints, exported folders, or patterns. NAME=PATH names the row."""
    data: list[Path] = field(default_factory=list)
    """Folders with a manifest.csv: columns file, label, and split (train, test) or fold; and group, if there is one."""
    probe: list[ProbeName] = field(default_factory=list)
    """linear, mlp, knn and few-shot (1, 5 and 10 clips per class); all of them unless said."""
    layer: list[Layer] = field(default_factory=list)
    """pooled (the features) and final (what the objective saw); both unless said."""
    every_checkpoint: bool = False
    """Probe all checkpoints of a run folder, not only its newest: accuracy over steps."""
    c: float | Literal["chosen"] = 0.1
    """Inverse strength of the linear probe's penalty. chosen: of five, on a fifth of each training part."""
    untrained: int = 3
    """Seeds of each untrained encoder, at least; 0 for only those of the runs."""
    json: Path | None = None
    """Also write all that was measured to this JSON file."""
    csv: Path | None = None
    """Also write a line per result to this CSV file."""
    markdown: Path | None = None
    """Also write the tables to this Markdown file; in one that exists, between the marks of the section."""
    section: str = "probe"
    """Name of the section of the Markdown file that is replaced."""
    figures: Path | None = None
    """Also draw figures, as PNG files in this folder."""
    projection: Projection = "pca"
    """How a figure maps embeddings to two dimensions: pca or tsne."""
    cache: Path | None = None
    """Folder for embeddings and scores that need not be computed again; the user's cache folder unless said."""
    jobs: int | None = None
    """Processes that fit probes; one per core unless said."""
    accelerator: Accelerator = "auto"
    """auto, cpu or gpu: where the clips are embedded."""
    quiet: bool = False
    """Tell nothing of the progress."""

    def __post_init__(self) -> None:
        if not self.checkpoint:
            raise ConfigError("there is nothing to probe; name run folders: --checkpoint RUN [RUN …]")
        if not self.data:
            raise ConfigError(
                "there is nothing to probe on; name folders with a manifest.csv: --data FOLDER [FOLDER …]"
            )
        for names, choices in ((self.probe, ProbeName), (self.layer, Layer)):
            if unknown := [name for name in names if name not in get_args(choices)]:
                raise ConfigError(f"{unknown[0]!r} is unknown; use one of {', '.join(get_args(choices))}")
        if self.untrained < 0:
            raise ConfigError(f"untrained={self.untrained} is no number of seeds; use 0 or more")
        if self.jobs is not None and self.jobs < 1:
            raise ConfigError(f"jobs={self.jobs} is no number of processes; use at least 1")
        if self.markdown is not None and not self.section.replace("-", "").isalnum():
            raise ConfigError(f"section={self.section!r} is no name of a section; use letters, digits and hyphens")
