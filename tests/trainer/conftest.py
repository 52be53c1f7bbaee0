"""What the trainer's tests share: toy streams, and settings that train in a second."""

from __future__ import annotations

import dataclasses
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import torch
import toy_stream

from trainer.config import FitSettings, SpecChoice

TINY: dict[str, Any] = {"max_steps": 6, "width": 2, "held_out": 0, "log_every": 2, "checkpoint_every": 2}
TINY_SPEC: dict[str, Any] = {"block_pairs": 4, "delta": 0.1}


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    """Two threads fighting over sums as small as these take many times longer than one."""
    torch.set_num_threads(1)


@pytest.fixture
def _toy_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    """local:// is a toy stream."""
    monkeypatch.setattr(import_module("pairstream.connect"), "installed_renderer", lambda: toy_stream.ToySource)


@pytest.fixture
def tiny(tmp_path: Path, _toy_streams: None) -> FitSettings:
    """A run of six steps of four pairs, in a folder of its own."""
    return FitSettings(run=tmp_path / "run", spec=SpecChoice(**TINY_SPEC), accelerator="cpu", **TINY)


def but(settings: FitSettings, **changes: Any) -> FitSettings:
    """The same settings with some changed."""
    return dataclasses.replace(settings, **changes)
