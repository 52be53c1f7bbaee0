"""The console script `synth-server`: its commands, their settings and where they run."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from pairstream import console
from synth_server import config
from synth_server.listen.config import ListenSettings

COMMANDS = (
    console.Command(name="serve", settings=config.ServeSettings, run="synth_server.commands.serve:run"),
    console.Command(name="status", settings=config.StatusSettings, run="synth_server.commands.status:run"),
    console.Command(name="render", settings=config.RenderSettings, run="synth_server.commands.render:run"),
    console.Command(name="listen", settings=ListenSettings, run="synth_server.commands.listen:run"),
    console.Command(name="bench", settings=config.BenchSettings, run="synth_server.commands.bench:run"),
    console.Command(name="keys", settings=config.KeysSettings, run="synth_server.commands.keys:run"),
    console.Command(name="doctor", settings=config.DoctorSettings, run="synth_server.commands.doctor:run"),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    return console.main("synth-server", "Make audio doppelgänger pairs and serve them.", COMMANDS, argv)


if __name__ == "__main__":
    sys.exit(main())
