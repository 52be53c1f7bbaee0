"""`trainer sweep`: train a grid, say what failed, and probe what is finished into one table."""

from __future__ import annotations

import sys
from importlib import import_module

from rich.console import Console

from pairstream.console import INTERRUPTED
from trainer.probe_settings import ProbeSettings
from trainer.recordings import read_manifest
from trainer.sweep import Swept, sweep
from trainer.sweep_settings import SweepSettings

#: What a run is a process of.
PROGRAM = (sys.executable, "-m", "trainer.cli")


def run(settings: SweepSettings) -> int:
    """0 when all runs are finished, 1 when some failed, 130 when it was stopped."""
    for folder in settings.data:  # before the trainings, not after
        read_manifest(folder)
    swept = sweep(settings, PROGRAM)
    _tell(swept)
    if swept.stopped:
        return INTERRUPTED
    if settings.data and swept.finished:
        # Imported only now: what probes need would lie in memory beside the trainings.
        import_module("trainer.commands.probe").run(_probing(settings, swept))
    return 1 if swept.failed else 0


def _tell(swept: Swept) -> None:
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"{len(swept.finished)} runs are finished, {len(swept.failed)} failed")
    for outcome in swept.failed:
        console.print(f"{outcome.experiment.name}: exit code {outcome.code}: {outcome.reason}", markup=False)
    if swept.stopped:
        console.print("stopped; the same command again goes on where it was")


def _probing(settings: SweepSettings, swept: Swept) -> ProbeSettings:
    """All finished runs, into files beside their folders."""
    to = settings.to
    return ProbeSettings(
        checkpoint=[str(one.folder.path) for one in swept.finished],
        data=settings.data,
        probe=settings.probe,
        json=to / "probe.json",
        csv=to / "probe.csv",
        markdown=to / "probe.md",
        figures=to / "figures" if settings.figures else None,
        cache=settings.cache,
        accelerator=settings.accelerator,
    )
