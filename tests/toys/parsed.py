"""Command lines that somebody else wrote, read by the parsers of the programs that they call."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from pairstream import console
from synth_server import cli as synth_server
from synth_server.config import ServeSettings
from trainer import cli as trainer
from trainer.config import FitSettings


def serve_settings(words: Sequence[str]) -> ServeSettings:
    """Of `synth-server serve ...`."""
    assert words[0] == "synth-server"
    settings = _parsed("synth-server", tuple(words[1:]))
    assert isinstance(settings, ServeSettings)
    return settings


def fit_settings(words: Sequence[str]) -> FitSettings:
    """Of `fit ...`."""
    settings = _parsed("trainer", tuple(words))
    assert isinstance(settings, FitSettings)
    return settings


@cache
def _parsed(prog: str, words: tuple[str, ...]) -> object:
    commands = synth_server.COMMANDS if prog == "synth-server" else trainer.COMMANDS
    return console.parse(prog, "", commands, words)[1]


def torchrun_settings(words: Sequence[str]) -> tuple[Any, FitSettings]:
    """Of `torchrun ... -m -- trainer.cli fit ...`: torchrun's own, and those of the training that it starts."""
    from torch.distributed.run import parse_args

    assert words[0] == "torchrun"
    run = parse_args(words[1:])
    assert run.module
    assert run.training_script == "trainer.cli"
    return run, fit_settings(run.training_script_args)


def said_to(program: str, command: Sequence[str], given: Mapping[str, str], folder: Path) -> list[str]:
    """Run a shell command in which `program` does nothing but tell its arguments; it is their first word."""
    folder.mkdir(exist_ok=True)
    stub = folder / program
    stub.write_text('#!/bin/sh\nprintf "%s\\0" "$@"\n')
    stub.chmod(0o755)
    path = {"PATH": f"{folder}:{os.environ['PATH']}"}
    ran = subprocess.run(command, env=path | dict(given), check=True, capture_output=True, text=True, timeout=20)
    return [program, *ran.stdout.split("\0")[:-1]]
