"""RunFolder: where everything of one training run lies, and the rule that nothing is overwritten.

runs/NAME/
  README.md       the same in words
  config.json     plan, digest of the stream, settings, and of each session versions, commit, machine and command line
  metrics.jsonl   a record per line
  checkpoints/    step-00000200.ckpt, …
  tensorboard/    scalars, a few sounds and their pictures
  summary.json    written at the end
"""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pairstream.errors import CheckpointError, ConfigError
from pairstream.files import write_json
from trainer.config import FitSettings
from trainer.plan import Plan

CHECKPOINT_NAME = re.compile(r"step-(\d{8,})\.ckpt")


@dataclass(frozen=True)
class RunFolder:
    """The paths of a run; `path` may be missing until `create`."""

    path: Path

    @property
    def config(self) -> Path:
        """Plan, settings and sessions of the run."""
        return self.path / "config.json"

    @property
    def metrics(self) -> Path:
        """The journal of the training."""
        return self.path / "metrics.jsonl"

    @property
    def tensorboard(self) -> Path:
        """Event files for TensorBoard."""
        return self.path / "tensorboard"

    @property
    def summary(self) -> Path:
        """The run in a few numbers, once it has ended."""
        return self.path / "summary.json"

    def checkpoint(self, step: int) -> Path:
        """The checkpoint after `step` optimiser steps."""
        return self.path / "checkpoints" / f"step-{step:08d}.ckpt"

    def newest_checkpoint(self) -> Path | None:
        """The checkpoint of the highest step, or None before the first."""
        named = [(CHECKPOINT_NAME.fullmatch(file.name), file) for file in (self.path / "checkpoints").glob("*.ckpt")]
        steps = [(int(match[1]), file) for match, file in named if match]
        return max(steps)[1] if steps else None

    def refuse_existing(self) -> None:
        """Raises ConfigError if anything is there already."""
        if self.path.is_dir() and not any(self.path.iterdir()):
            return
        if self.path.exists():
            raise ConfigError(
                f"{self.path} exists already and is not overwritten; "
                "continue it with --resume, or name another folder with --run"
            )

    def create(self, plan: Plan, settings: FitSettings) -> None:
        """Make the folder and say in it what will be done."""
        said = asdict(settings) | {"run": str(settings.run)}
        write_json(self.config, {"plan": plan.as_dict(), "digest": plan.spec.digest, "settings": said})

    def discard(self) -> None:
        """Remove a folder that was made for a run which never began."""
        shutil.rmtree(self.path)

    def stored_plan(self) -> Plan:
        """The plan that the run was started with. Raises CheckpointError if there is none."""
        return Plan.from_dict(self.stored().get("plan"), self.config)

    def stored(self) -> dict[str, Any]:
        """What is in config.json. Raises CheckpointError if it cannot be read."""
        try:
            stored = json.loads(self.config.read_text())
        except FileNotFoundError as error:
            raise CheckpointError(
                f"{self.path} is no run folder: it has no {self.config.name}; start the run without --resume"
            ) from error
        except (OSError, ValueError) as error:
            raise CheckpointError(f"{self.config} cannot be read: {error}; start a run in another folder") from error
        return stored if isinstance(stored, dict) else {}
