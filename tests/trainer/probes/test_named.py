"""Checkpoints as a user names them."""

from __future__ import annotations

from pathlib import Path

import pytest

from pairstream.errors import ConfigError
from trainer.probes.named import named_checkpoints


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Two run folders with two checkpoints each, and a log beside them."""
    for run in ("real-0", "real-1", "a=b"):
        for step in (100, 20):
            file = tmp_path / run / "checkpoints" / f"step-{step:08d}.ckpt"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()
    (tmp_path / "real-0.log").touch()
    return tmp_path


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("{}/real-0", [("", "real-0")]),
        ("mine={}/real-0", [("mine", "real-0")]),
        ("{}/a=b", [("", "a=b")]),
        ("{}/real-*", [("", "real-0"), ("", "real-1")]),
        ("real + augmentation={}/real-?", [("real + augmentation", "real-0"), ("real + augmentation", "real-1")]),
        ("{}/none", [("", "none")]),
        ("{}/a=*", [("", "a=b")]),
        ("mine={}/a=b", [("mine", "a=b")]),
        ("mine={}/a=*", [("mine", "a=b")]),
    ],
)
def test_a_name_a_path_or_a_pattern(runs: Path, said: str, found: list[tuple[str, str]]) -> None:
    named = named_checkpoints([said.format(runs)], every=False)
    assert [(name, path.name) for path, name in named] == found


def test_all_checkpoints_of_a_run_by_step(runs: Path) -> None:
    named = named_checkpoints([f"x={runs}/real-1"], every=True)
    assert [(path.name, name) for path, name in named] == [("step-00000020.ckpt", "x"), ("step-00000100.ckpt", "x")]


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (["{}/real-0", "x={}/real-*"], "named twice"),
        (["{}/unreal-*"], "fits no run folder"),
        (["untrained={}/real-0"], "like a baseline"),
    ],
)
def test_what_cannot_be_meant_is_refused(runs: Path, said: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        named_checkpoints([text.format(runs) for text in said], every=False)
