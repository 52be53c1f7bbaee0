"""The runs below a folder, for a table: what each was, how far it came, and what it came to."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich import box
from rich.markup import escape
from rich.table import Table

from pairstream.errors import CheckpointError, ConfigError
from trainer.journal import read_journal
from trainer.plan import Plan
from trainer.run_folder import RunFolder


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run folder in one row. What is not known yet is None."""

    folder: Path
    started: str
    plan: Plan
    steps: int
    """Of the last record, which may be a few behind."""
    loss: float | None
    hit_at_1: float | None
    """Of the trained encoder among the held-out pairs."""
    ended: bool
    """Whether all steps of the plan are done."""


def find_runs(root: Path) -> tuple[list[Run], list[CheckpointError]]:
    """Every run folder in or below `root`, the oldest first, and why others cannot be read; `root` may be one itself.

    Raises:
        ConfigError: no such folder.
    """
    if not root.is_dir():
        raise ConfigError(f"{root} is no folder; name one that holds runs")
    runs: list[Run] = []
    unreadable: list[CheckpointError] = []
    for folder in _folders(root):
        try:
            runs.append(_read(folder))
        except CheckpointError as error:
            unreadable.append(error)
    return sorted(runs, key=lambda run: (run.started, str(run.folder))), unreadable


def _folders(root: Path) -> Iterator[RunFolder]:
    """A run folder is where a config.json lies beside a metrics.jsonl; an exported model has none."""
    for config in sorted(root.rglob("config.json")):
        folder = RunFolder(config.parent)
        if folder.metrics.exists():
            yield folder


def _read(folder: RunFolder) -> Run:
    records = read_journal(folder.metrics)
    last: dict[str, Any] = records[-1] if records else {"step": 0}
    summary = _summary(folder)
    sessions = folder.stored().get("sessions", [])
    return Run(
        folder=folder.path,
        started=sessions[0]["started"] if sessions else "",
        plan=folder.stored_plan(),
        steps=last["step"],
        loss=last.get("loss"),
        hit_at_1=summary.get("hit_at_1_after"),
        ended=bool(summary.get("finished")),
    )


def _summary(folder: RunFolder) -> dict[str, Any]:
    """The summary, or nothing before there is one."""
    try:
        summary: dict[str, Any] = json.loads(folder.summary.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{folder.summary} cannot be read: {error}; delete it, it is written anew") from error
    return summary


def for_terminal(runs: Sequence[Run]) -> Table:
    """A rich table, a run per row."""
    shown = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    shown.add_column("run", overflow="fold")
    for name in ("started", "learned from", "synth", "δ", "encoder seed", "steps", "loss", "hit@1"):
        shown.add_column(name, justify="right")
    for run in runs:
        spec, data, steps = run.plan.spec, run.plan.data, f"{run.steps:,} of {run.plan.recipe.max_steps:,}"
        synth, delta = (spec.synth, str(spec.delta)) if data.streams else ("", "")
        shown.add_row(
            escape(str(run.folder)), run.started[:16].replace("T", " "), escape(str(data)), synth, delta,
            str(run.plan.seed), steps if not run.ended else f"{run.steps:,}", _number(run.loss), _number(run.hit_at_1),
        )  # fmt: skip
    return shown


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
