"""What a new user gets wrong ends in one line that says what, and in the documented exit code."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import soundfile
import tone_stream
import torch
from tiny_training import TINY, TINY_SPEC, but

from trainer import cli
from trainer.checkpoints import PLAN_KEY, read_checkpoint
from trainer.config import FitSettings, SpecChoice
from trainer.fit import fit
from trainer.module import PairModule
from trainer.run_folder import RunFolder

pytestmark = pytest.mark.filterwarnings("ignore:.*LeafSpec:FutureWarning")

ROWS = "file,label,split\na.wav,x,train\nb.wav,y,train\nc.wav,x,test\nd.wav,y,test\n"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two steps, which the tests copy from and do not change."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    settings = FitSettings(run=folder, spec=SpecChoice(**TINY_SPEC), accelerator="cpu", quiet=True, **TINY)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(import_module("pairstream.connect"), "installed_renderer", lambda: tone_stream.ToySource)
        fit(but(settings, max_steps=2))
    return folder


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    """Four clips of a second, two labels."""
    folder = tmp_path / "recordings"
    folder.mkdir()
    (folder / "manifest.csv").write_text(ROWS)
    random = np.random.default_rng(0)
    for name in "abcd":
        soundfile.write(folder / f"{name}.wav", 0.1 * random.standard_normal(16_000), 16_000, subtype="FLOAT")
    return folder


def one_line(argv: list[str], code: int, capsys: pytest.CaptureFixture[str]) -> str:
    """Run a command that must fail; what it says."""
    capsys.readouterr()
    assert cli.main(argv) == code
    last = [line for line in capsys.readouterr().err.splitlines() if "error" in line.lower()]
    assert len(last) == 1
    assert last[0].startswith("trainer: error: ")
    return last[0]


def no_samples(folder: Path) -> None:
    soundfile.write(folder / "b.wav", np.zeros(0), 16_000)


def not_a_number(folder: Path) -> None:
    soundfile.write(folder / "b.wav", np.full(16_000, np.nan), 16_000, subtype="FLOAT")


def not_audio(folder: Path) -> None:
    (folder / "b.wav").write_text("hello")


def not_there(folder: Path) -> None:
    (folder / "b.wav").unlink()


def no_manifest(folder: Path) -> None:
    (folder / "manifest.csv").unlink()


def no_label(folder: Path) -> None:
    (folder / "manifest.csv").write_text(ROWS.replace("label", "class"))


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (no_samples, "b.wav: it has no samples"),
        (not_a_number, "b.wav: it has samples that are not finite"),
        (not_audio, "b.wav: it cannot be read as audio"),
        (not_there, "b.wav: No such file"),
        (no_manifest, "write one with the columns"),
        (no_label, "has no column 'label'"),
    ],
)
def test_recordings_that_cannot_be_used(
    run: Path, recordings: Path, harm: Callable[[Path], None], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    harm(recordings)
    argv = ["probe", "--checkpoint", str(run), "--data", str(recordings), "--accelerator", "cpu"]
    assert said in one_line(argv, 7, capsys)


def junk(file: Path, checkpoint: dict) -> None:
    file.write_bytes(b"junk")


def empty(file: Path, checkpoint: dict) -> None:
    file.touch()


def newer(file: Path, checkpoint: dict) -> None:
    checkpoint[PLAN_KEY]["recipe"]["sight"] = True
    torch.save(checkpoint, file)


def older(file: Path, checkpoint: dict) -> None:
    del checkpoint[PLAN_KEY]["recipe"]["precision"]
    torch.save(checkpoint, file)


def of_another_program(file: Path, checkpoint: dict) -> None:
    torch.save({"state_dict": {}}, file)


def of_other_layers(file: Path, checkpoint: dict) -> None:
    checkpoint["state_dict"] = {name + "x": value for name, value in checkpoint["state_dict"].items()}
    torch.save(checkpoint, file)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (junk, "is damaged or no checkpoint"),
        (empty, "is damaged or no checkpoint"),
        (newer, "'sight'; was it written by another version?"),
        (older, "says nothing of precision; was it written by another version?"),
        (of_another_program, "is a checkpoint of another program"),
        (of_other_layers, "a.ckpt was written by another version"),
    ],
)
def test_checkpoints_that_cannot_be_used(
    run: Path, tmp_path: Path, make: Callable[[Path, dict], None], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    newest = RunFolder(run).newest_checkpoint()
    assert newest is not None
    file = tmp_path / "a.ckpt"
    make(file, read_checkpoint(newest))
    line = one_line(["export", "--checkpoint", str(file), "--to", str(tmp_path / "out")], 8, capsys)
    assert said in line
    assert str(file) in line


def test_a_model_that_does_not_fit_in_memory(
    tiny: FitSettings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def exhausting(*_: object) -> None:
        raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes")

    monkeypatch.setattr(PairModule, "__init__", exhausting)
    line = one_line(["fit", "--run", str(tiny.run), "--accelerator", "cpu", "--width", "2"], 9, capsys)
    assert "a smaller --width" in line
    assert not tiny.run.exists()


def test_another_sample_rate_is_said_for_stream_and_front_end_together(tiny: FitSettings) -> None:
    picture = FitSettings(run=tiny.run).frontend
    both = but(
        tiny,
        spec=SpecChoice(**TINY_SPEC, sample_rate=22_050),
        frontend=type(picture)(sample_rate=22_050, fft=1_024, window=551, hop=220),
        max_steps=2,
    )
    assert fit(both).finished
