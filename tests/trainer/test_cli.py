"""The console script: quick help, one-line errors."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from trainer import cli


def loaded_by(argv: list[str]) -> set[str]:
    """The modules that are loaded once a command line was worked through."""
    program = (
        "import sys\nfrom trainer.cli import main\n"
        f"try:\n    main({argv!r})\nexcept SystemExit:\n    pass\n"
        "print('LOADED', *sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    return set(done.stdout.rpartition("LOADED")[2].split())


@pytest.mark.parametrize("argv", [["--help"], ["fit", "--help"], ["probe", "--help"]])
def test_help_loads_nothing_heavy(argv: list[str]) -> None:
    heavy = {"torch", "pytorch_lightning", "sklearn", "numpy.random", "soundfile", "synth_server", "torchsynth"}
    assert not heavy & loaded_by(argv) - {"numpy.random"}


@pytest.mark.slow
def test_importing_the_trainer_never_loads_the_producer() -> None:
    program = (
        "import sys, trainer.fit, trainer.probe, trainer.commands.fit, trainer.commands.probe; print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=True)
    assert not {name for name in done.stdout.split() if name.partition(".")[0] in ("synth_server", "torchsynth")}


@pytest.mark.parametrize(
    ("argv", "code", "said"),
    [
        (["fit"], 2, "run"),
        (["fit", "--run", "x", "--preset", "huge"], 2, "preset"),
        (["fit", "--run", "{tmp}", "--held_out", "1"], 2, "held_out=1"),
        (["fit", "--run", "{tmp}", "--frontend.bands", "0"], 2, "frontend.bands=0"),
        (["fit", "--run", "{tmp}", "--objective", "guess"], 2, "objective: guess is none of Literal['alignment-"),
        (["fit", "--run", "{tmp}/none", "--resume"], 8, "is no run folder"),
        (
            ["fit", "--run", "{tmp}/none", "--data.recordings", "{tmp}/no"],
            7,
            "no is no folder; name one with recordings",
        ),
        (["fit", "--run", "{tmp}/none", "--data.recordings", "{tmp}"], 7, "holds no audio file"),
        (["fit", "--run", "{tmp}/none", "--data.real", "0.5"], 2, "data.real=0.5 with 0 folders"),
        (["fit", "--run", "{tmp}/none", "--data.deltas", "{{3: soon}}"], 2, "data.deltas"),
        (["fit", "--run", "{tmp}/none", "--data.pool", "0"], 2, "data.pool=0"),
        (["fit", "--run", "{tmp}/none", "--augment", "much"], 2, "augment: much is none of Literal['none', 'paper'"),
        (
            ["fit", "--run", "{tmp}/none", "--augmentation.high_pass_hz", "[9, 3]"],
            2,
            "augmentation.high_pass_hz=(9.0, 3.0)",
        ),
        (["fit", "--run", "{tmp}/none", "--augmentation.pitch-p", "7"], 2, "augmentation.pitch_p=7.0"),
        (["fit", "--run", "{tmp}/none", "--spec.synth", "Voice!"], 2, "synth='Voice!'"),
        (["probe", "--checkpoint", "{tmp}", "--data", "{tmp}"], 7, "there is no {tmp}/manifest.csv"),
        (["probe", "--data", "{tmp}"], 2, "name run folders"),
    ],
)
def test_an_error_is_one_line_and_an_exit_code(
    argv: list[str], code: int, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([part.format(tmp=tmp_path) for part in argv]) == code
    error = capsys.readouterr().err
    assert error.startswith("trainer: error: ")
    assert said.format(tmp=tmp_path) in error
    assert error.count("\n") == 1
