"""The console script `trainer`: its commands, their settings and where they run."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from pairstream import console
from trainer import config
from trainer.probe_settings import ProbeSettings
from trainer.sweep_settings import SweepSettings

COMMANDS = (
    console.Command(name="fit", settings=config.FitSettings, run="trainer.commands.fit:run"),
    console.Command(name="probe", settings=ProbeSettings, run="trainer.commands.probe:run"),
    console.Command(name="sweep", settings=SweepSettings, run="trainer.commands.sweep:run"),
    console.Command(name="export", settings=config.ExportSettings, run="trainer.commands.export:run"),
    console.Command(name="runs", settings=config.RunsSettings, run="trainer.commands.runs:run"),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    return console.main("trainer", "Learn audio representations from a stream of synthetic pairs.", COMMANDS, argv)


if __name__ == "__main__":
    sys.exit(main())
