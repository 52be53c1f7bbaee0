"""What the trainer's tests share: toy streams, and settings that train in a second."""

from __future__ import annotations

import shutil
from importlib import import_module
from pathlib import Path

import pytest
import tone_stream
import torch
from pitches import write_pitches
from tiny_training import TINY, TINY_SPEC

from trainer.config import FitSettings, SpecChoice
from trainer.fit import fit


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


@pytest.fixture
def pitches(tmp_path: Path) -> Path:
    return write_pitches(tmp_path / "pitches")


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two steps, trained once for all tests."""
    folder = tmp_path_factory.mktemp("trained") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(import_module("pairstream.connect"), "installed_renderer", lambda: tone_stream.ToySource)
        fit(FitSettings(run=folder, spec=SpecChoice(**TINY_SPEC), accelerator="cpu", **{**TINY, "max_steps": 2}))
    return folder


@pytest.fixture
def run(tmp_path: Path, trained: Path) -> Path:
    """A copy of it, to be damaged at will."""
    return Path(shutil.copytree(trained, tmp_path / "run"))
