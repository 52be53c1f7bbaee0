"""Where a model comes from: how far its run had come, and the numbers that the run folder has of it, if any."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from trainer.checkpoints import newest_checkpoint, read_checkpoint
from trainer.exported import exported_folder, read_config
from trainer.journal import read_journal
from trainer.run_folder import RunFolder

#: Of the record of a step, and of the summary of a run that ended with this checkpoint.
FROM_RECORD = ("pairs", "seconds", "loss")
FROM_SUMMARY = ("hit_at_1_before", "hit_at_1_after", "held_out")


def origin_of(path: Path) -> dict[str, Any]:
    """Plain values; what is not known is not there. Of an exported folder it is what that folder says."""
    if folder := exported_folder(path):
        trained: dict[str, Any] = read_config(folder).get("trained", {})
        return trained
    file = newest_checkpoint(path)
    step = int(read_checkpoint(file)["global_step"])
    run = RunFolder(file.parent.parent)
    return {"steps": step, **_recorded(run, step), **_summarised(run, step)}


def _recorded(run: RunFolder, step: int) -> dict[str, Any]:
    records = [record for record in read_journal(run.metrics) if record["step"] == step]
    return {name: records[-1][name] for name in FROM_RECORD if name in records[-1]} if records else {}


def _summarised(run: RunFolder, step: int) -> dict[str, Any]:
    try:
        summary = json.loads(run.summary.read_text())
    except (OSError, ValueError):
        return {}
    if summary.get("steps") != step:
        return {}
    return {name: summary[name] for name in FROM_SUMMARY if summary.get(name) is not None}
