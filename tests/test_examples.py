"""Every example does what it says."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import soundfile
import tone_stream
import torch
from tiny_training import TINY, TINY_SPEC

from examples import nearest, with_lightning, with_pytorch
from trainer.config import FitSettings, SpecChoice
from trainer.fit import fit

ROOT = Path(__file__).parent.parent

pytestmark = pytest.mark.filterwarnings(
    "ignore:.*LeafSpec:FutureWarning", "ignore:.*does not have many workers", "ignore:.*GPU available"
)


@pytest.fixture
def _tone_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    """local:// is a toy stream, and two threads do not fight over its small sums."""
    monkeypatch.setattr(import_module("pairstream.connect"), "installed_renderer", lambda: tone_stream.ToySource)
    torch.set_num_threads(1)


def blocks_and_losses(said: str) -> list[tuple[str, str]]:
    return re.findall(r"block (\d+): loss (-?[\d.]+)", said)


@pytest.mark.usefixtures("_tone_streams")
@pytest.mark.parametrize(
    ("main", "place"), [(with_pytorch.main, "plain.pt"), (with_lightning.main, "run")], ids=["pytorch", "lightning"]
)
def test_a_loop_of_ones_own_resumes_with_the_very_next_block(
    main, place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(6, tmp_path / "whole" / place)
    whole = blocks_and_losses(capsys.readouterr().out)
    main(2, tmp_path / "parts" / place)
    main(6, tmp_path / "parts" / place)
    parts = blocks_and_losses(capsys.readouterr().out)
    assert [int(block) for block, _ in whole] == list(range(6))
    assert parts == whole
    assert float(whole[-1][1]) < float(whole[0][1])


@pytest.mark.usefixtures("_tone_streams")
def test_the_nearest_sound_to_a_sound_is_that_sound(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    random, seconds = np.random.default_rng(0), np.arange(24_000) / 16_000
    tone, hiss = 0.5 * np.sin(2 * np.pi * 220 * seconds), 0.3 * random.standard_normal(24_000)
    files = {name: str(tmp_path / f"{name}.wav") for name in ("query", "hiss", "same")}
    for name, audio in (("query", tone), ("hiss", hiss), ("same", tone)):
        soundfile.write(files[name], audio.astype(np.float32), 16_000)
    tiny = FitSettings(run=tmp_path / "run", spec=SpecChoice(**TINY_SPEC), accelerator="cpu", quiet=True, **TINY)
    fit(tiny)
    capsys.readouterr()
    nearest.main(str(tiny.run), files["query"], files["hiss"], files["same"])
    first, second = capsys.readouterr().out.splitlines()
    assert first == f"1.000  {files['same']}"
    assert second.endswith(files["hiss"])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["with_pytorch", "with_lightning"])
def test_an_example_runs_as_its_reader_would_run_it(name: str, tmp_path: Path) -> None:
    command = [sys.executable, "-W", "ignore", "-m", f"examples.{name}", "2", str(tmp_path / "kept")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    assert [block for block, _ in blocks_and_losses(done.stdout)] == ["0", "1"]
