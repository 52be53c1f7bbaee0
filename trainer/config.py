"""The settings of the trainer's commands: what `trainer fit` and `trainer runs` can be told.

Nothing here is loaded beside the contract (no torch), so that `--help` is quick. Settings that a
preset decides are None until a user sets them; `plan.py` puts both together. Those of the recipe
are not written again here: `FitSettings` has every field of `Recipe`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pairstream.batches import MAX_LAG, Follow, Start
from pairstream.console import POSITIONAL
from pairstream.errors import ConfigError
from pairstream.logs import LogFormat
from pairstream.spec import StreamSpec
from trainer.augmentation import AugmentationName
from trainer.choices import choice_of
from trainer.material import Material
from trainer.presets import PresetName
from trainer.recipe import Recipe

Accelerator = Literal["auto", "cpu", "gpu"]
Compile = Literal["off", "on", "reduce-overhead"]
ExportFormat = Literal["safetensors", "onnx", "torch-export"]
WeightType = Literal["float32", "float16"]


#: StreamSpec as a user says it: any of its fields.
SpecChoice = choice_of(StreamSpec, "SpecChoice", "The stream; what is not said is the preset's.")

#: Material as a user says it: any of its fields.
MaterialChoice = choice_of(Material, "MaterialChoice", "What is learned from; the stream alone unless said.")

#: Recipe as a user says it: any of its fields.
RecipeChoice = choice_of(Recipe, "RecipeChoice", "How the encoder learns; what is not said is the preset's.")


@dataclass(frozen=True, kw_only=True)
class FitSettings(RecipeChoice):  # type: ignore[misc, valid-type]
    """Train an encoder from pairs of sounds: a stream's, unless --data says otherwise."""

    run: Path
    """Folder for everything this run writes; it must not exist, except with --resume."""
    stream: str = "local://"
    """Where the blocks come from: local://, zmq://HOST:PORT, and what else the client knows."""
    preset: PresetName | None = None
    """paper, cpu (the default) or demo: sets the recipe, and parts of the spec."""
    spec: SpecChoice = field(default_factory=SpecChoice)  # type: ignore[valid-type]
    """The stream's spec. What is not said is the preset's."""
    data: MaterialChoice = field(default_factory=MaterialChoice)  # type: ignore[valid-type]
    """What is learned from: the stream alone unless said."""
    augment: AugmentationName | None = None
    """A set of augmentations: none, paper, masking, specaugment or strong; augmentation.* changes what is in it."""
    resume: bool = False
    """Continue the run in that folder from its newest checkpoint."""
    resume_or_start: bool = False
    """Continue the run in that folder if there is one, else start it: for whoever is started again after a crash."""
    any_arithmetic: bool = False
    """Resume although the same blocks have other bytes than before, or the same folders other recordings."""
    experiment: str = "default"
    """The experiment's name at the workers."""
    start: Start | None = None
    """Where in the stream to begin: first (unless said), head (where the other experiments are), or an index."""
    follow: Follow | None = None
    """exact (unless said): every block. live: keep near the head of the stream, and skip what was missed."""
    max_lag: int = MAX_LAG
    """With live: blocks that may lie between this run and the head."""
    seed: int | None = None
    """Seed of the untrained encoder; 0 unless said. The stream's is spec.seed."""
    accelerator: Accelerator = "auto"
    """auto, cpu or gpu."""
    compile: Compile = "off"
    """Compile the encoder: on takes a minute at the start, reduce-overhead also keeps a card's launches in a graph."""
    devices: int = 1
    """Processes on this machine, one per device."""
    nodes: int = 1
    """Machines, each started by torchrun."""
    threads: int | None = None
    """Threads of a CPU's arithmetic; fewer than cores where workers render on them, too."""
    loader_workers: int = 0
    """0: the data are read in this process. 1: in one of its own; more, for recordings alone."""
    timeout: float = 60.0
    """Seconds to wait for a block before giving up with the reason."""
    held_out: int = 512
    """Pairs, from far ahead in the stream, for the hit rate before and after; 0 for none."""
    log_every: int = 10
    """Steps between two records of the metrics."""
    checkpoint_every: int | None = None
    """Steps between two checkpoints; a twentieth of the run, but at least 50, unless said."""
    metrics_port: int | None = None
    """Serve Prometheus metrics on this port, and /healthz: whether a step was made within the time-out."""
    metrics_host: str = "127.0.0.1"
    """Address to serve the metrics on."""
    quiet: bool = False
    """Tell nothing of the progress."""
    log_format: LogFormat = "text"
    """text, or json: every line on stderr is a JSON object."""

    def __post_init__(self) -> None:
        for name in ("devices", "nodes", "threads", "log_every", "checkpoint_every"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ConfigError(f"{name}={value} is no count; use at least 1")
        if self.loader_workers < 0:
            raise ConfigError(f"loader_workers={self.loader_workers} is no count; use 0 or more")
        if self.held_out < 0 or self.held_out == 1:
            raise ConfigError(f"held_out={self.held_out} is no set to search in; use at least 2, or 0 for no hit rate")
        if not self.timeout > 0:
            raise ConfigError(f"timeout={self.timeout} leaves no time for a block; use some seconds")


@dataclass(frozen=True, kw_only=True)
class ExportSettings:
    """Write a trained model into a folder of its own, each file checked against the live model."""

    checkpoint: Path
    """A run folder (its newest checkpoint), a checkpoint file, or an exported folder."""
    to: Path
    """Folder for the files, config.json and a model card; it must not exist."""
    format: list[ExportFormat] = field(default_factory=list)
    """safetensors (unless said): weights, for this trainer. onnx, torch-export: all the way from audio to vectors."""
    dtype: WeightType = "float32"
    """Of the numbers in model.safetensors: float32, or float16, half the bytes."""

    def __post_init__(self) -> None:
        if not self.format:
            object.__setattr__(self, "format", ["safetensors"])
        if self.dtype != "float32" and "safetensors" not in self.format:
            raise ConfigError(f"dtype={self.dtype} is for safetensors; add it to --format, or leave --dtype out")


@dataclass(frozen=True, kw_only=True)
class RunsSettings:
    """List the runs below a folder: what each is, how far it came, and what it came to."""

    folder: Path = field(metadata=POSITIONAL)
    """A folder that holds runs, such as runs."""
