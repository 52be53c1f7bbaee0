"""What the trainer's tests share: toy streams, and settings that train in a second."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest
import tone_stream
import torch
from tiny_training import TINY, TINY_SPEC

from trainer.config import FitSettings, SpecChoice


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    """Two threads fighting over sums as small as these take many times longer than one."""
    torch.set_num_threads(1)


@pytest.fixture
def _tone_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    """local:// is a toy stream."""
    monkeypatch.setattr(import_module("pairstream.connect"), "installed_renderer", lambda: tone_stream.ToySource)


@pytest.fixture
def tiny(tmp_path: Path, _tone_streams: None) -> FitSettings:
    """A run of six steps of four pairs, in a folder of its own."""
    return FitSettings(run=tmp_path / "run", spec=SpecChoice(**TINY_SPEC), accelerator="cpu", **TINY)
