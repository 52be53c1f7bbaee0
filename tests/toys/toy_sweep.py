"""The console script `trainer` on toy streams, whose sweeps train on toy streams, too."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import tone_stream

PROGRAM = (sys.executable, str(Path(tone_stream.__file__)))


if __name__ == "__main__":
    tone_stream.install()
    vars(import_module("trainer.commands.sweep"))["PROGRAM"] = PROGRAM
    from trainer.cli import main

    sys.exit(main())
