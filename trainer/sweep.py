"""sweep: a grid of experiments, trained side by side, each once, whatever happens in between.

Runs are processes of `trainer fit`, so a sweep trains nothing itself. Finished runs are skipped and interrupted ones
resumed: the same command again goes on where it was. Runs of one spec follow each other, and those that train at
the same time share the blocks that a worker renders; with `local://` every run renders for itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from tempfile import TemporaryFile

from pairstream.cores import usable_cores
from pairstream.errors import ConfigError
from trainer.sweep_settings import SweepSettings
from trainer.sweeps.crew import run_all
from trainer.sweeps.experiment import Experiment, plan_experiments
from trainer.sweeps.grid import combinations, read_grids, said_grid
from trainer.sweeps.job import Job, Outcome
from trainer.sweeps.news import News


@dataclass(frozen=True, kw_only=True)
class Swept:
    """What a sweep came to."""

    finished: tuple[Experiment, ...]
    """Now or before."""
    failed: tuple[Outcome, ...]
    stopped: bool
    """By SIGINT or SIGTERM: then some runs are neither finished nor failed."""


def sweep(settings: SweepSettings, program: Sequence[str]) -> Swept:
    """Train all runs of the grid that are not finished; `program` is the command of which `fit` is a subcommand.

    Raises:
        ConfigError: a grid or setting that cannot be meant; then nothing was begun.
    """
    experiments = plan_experiments(combinations(_grids(settings)), settings.to, settings.stream or ["local://"])
    left = [one for one in experiments if not one.finished]
    _make(settings)
    threads = settings.threads or max(1, usable_cores() // settings.at_once)
    jobs = [partial(Job, one, program, threads, settings.accelerator) for one in left]
    with News(len(experiments), len(experiments) - len(left)) as news:
        ended, stopped = run_all(jobs, settings.at_once, news, settings.patience)
    return Swept(
        finished=tuple(one for one in experiments if one.finished),
        failed=() if stopped else tuple(outcome for outcome in ended if outcome.reason),
        stopped=stopped,
    )


def _grids(settings: SweepSettings) -> list[dict[str, list[object]]]:
    """Those of the file, each with what the command line says beside."""
    said = said_grid(settings.grid)
    return [grid | said for grid in read_grids(settings.grid_file)] if settings.grid_file else [said]


def _make(settings: SweepSettings) -> None:
    try:
        settings.to.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=settings.to):
            pass
    except OSError as error:
        raise ConfigError(
            f"cannot write to the folder {settings.to}: {error.strerror}; choose another with --to"
        ) from error
