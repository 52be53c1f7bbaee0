"""Experiments: the runs of a sweep, each with its plan, its folder and its stream, checked before the first begins."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pairstream import console
from pairstream.errors import CheckpointError, ConfigError, PairstreamError
from trainer.config import FitSettings
from trainer.plan import Plan, new_plan
from trainer.run_folder import RunFolder
from trainer.sweeps.grid import arguments, names

FIT = console.Command(name="fit", settings=FitSettings, run="trainer.commands.fit:run")


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """One run of a sweep."""

    name: str
    plan: Plan
    folder: RunFolder
    stream: str
    flags: tuple[str, ...]
    """What the grid says, as flags of `trainer fit`."""

    @property
    def finished(self) -> bool:
        """Whether all steps of the plan are done."""
        try:
            return bool(json.loads(self.folder.summary.read_text())["finished"])
        except (OSError, ValueError, KeyError, TypeError):
            return False


def plan_experiments(runs: Sequence[dict[str, Any]], to: Path, streams: Sequence[str]) -> list[Experiment]:
    """The experiments of a grid, those of one spec next to each other, so that they share its blocks.

    A run that is below `to` already is recognised by its plan, whatever its folder is called.

    Raises:
        ConfigError: a setting that cannot be meant, two runs of one plan, or a folder in the way.
    """
    flags = [tuple(arguments(run)) for run in runs]
    plans = [_plan(to, words) for words in flags]
    _refuse_twins(plans, flags)
    there = list(_stored(to))
    digests = list(dict.fromkeys(plan.spec.digest for plan in plans))
    found = [
        Experiment(
            name=name,
            plan=plan,
            folder=_folder(to, name, plan, there),
            stream=streams[digests.index(plan.spec.digest) % len(streams)],
            flags=words,
        )
        for name, plan, words in zip(names(runs), plans, flags, strict=True)
    ]
    return sorted(found, key=lambda one: digests.index(one.plan.spec.digest))


def _plan(to: Path, flags: Sequence[str]) -> Plan:
    try:
        _, settings = console.parse("trainer", "", [FIT], ["fit", f"--run={to}", *flags])
        return new_plan(settings)
    except PairstreamError as error:
        raise ConfigError(f"the run {' '.join(flags)} of the grid cannot be: {error}") from error


def _refuse_twins(plans: Sequence[Plan], flags: Sequence[Sequence[str]]) -> None:
    for number, plan in enumerate(plans):
        if plan in plans[:number]:
            twin = flags[plans.index(plan)]
            raise ConfigError(f"two runs of the grid are the same: {' '.join(twin)} and {' '.join(flags[number])}")


def _stored(to: Path) -> Iterator[tuple[Plan, RunFolder]]:
    for config in sorted(to.glob("*/config.json")):
        folder = RunFolder(config.parent)
        try:
            yield folder.stored_plan(), folder
        except CheckpointError:  # of another version, or not ours: then it is no run of this sweep
            continue


def _folder(to: Path, name: str, plan: Plan, there: Sequence[tuple[Plan, RunFolder]]) -> RunFolder:
    for stored, folder in there:
        if stored == plan:
            return folder
    path = to / name
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise ConfigError(f"{path} holds something else than this run; name another folder with --to")
    return RunFolder(path)
