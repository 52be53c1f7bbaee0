"""fit: whole runs on toy streams, in this process."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Literal

import pytest
import tone_stream
import torch
from tiny_training import but, same, weights

from pairstream.errors import ConfigError, RenderError
from pairstream.torch import PairBatch, PairStream
from trainer.checkpoints import read_checkpoint
from trainer.config import FitSettings, SpecChoice
from trainer.fit import fit
from trainer.journal import read_journal
from trainer.run_folder import RunFolder

#: Lightning 2.6 asks torch 2.13 for a name that it will soon not have.
pytestmark = pytest.mark.filterwarnings("ignore:.*LeafSpec:FutureWarning")


def test_a_run_leaves_a_folder_that_says_everything(tiny: FitSettings) -> None:
    summary = fit(but(tiny, held_out=8))
    folder = RunFolder(tiny.run)
    assert json.loads(folder.summary.read_text())["steps"] == summary.steps == 6
    assert summary.finished
    assert summary.pairs == 24
    assert [record["step"] for record in read_journal(folder.metrics)] == [1, 2, 4, 6]
    assert sorted(path.name for path in (tiny.run / "checkpoints").iterdir()) == [
        f"step-{step:08d}.ckpt" for step in (2, 4, 6)
    ]
    assert summary.chance == 1 / 8
    assert 0.0 <= (summary.hit_at_1_before or 0.0) <= 1.0
    assert 0.0 < summary.trainer_wait_fraction < 1.0
    config = json.loads(folder.config.read_text())
    assert config["digest"] == summary.digest == folder.stored_plan().spec.digest
    assert "torch" in config["sessions"][0]["versions"]
    assert list(folder.tensorboard.glob("events.*"))


def test_the_same_plan_gives_the_same_weights(tiny: FitSettings, tmp_path: Path) -> None:
    for name in ("one", "two"):
        fit(but(tiny, run=tmp_path / name))
    assert same(weights(tmp_path / "one"), weights(tmp_path / "two"))


def test_an_existing_run_is_not_overwritten(tiny: FitSettings) -> None:
    fit(tiny)
    before = (tiny.run / "config.json").read_bytes()
    with pytest.raises(ConfigError, match=r"exists already.*--resume"):
        fit(tiny)
    assert (tiny.run / "config.json").read_bytes() == before


@pytest.mark.parametrize("held_out", [0, 8])
def test_a_stream_that_cannot_be_had_leaves_no_folder(tiny: FitSettings, held_out: int) -> None:
    with pytest.raises(ConfigError, match="carrier-pigeon"):
        fit(but(tiny, stream="carrier-pigeon://", held_out=held_out))
    assert not tiny.run.exists()


@pytest.mark.parametrize(
    ("wrong", "says"), [({"sample_rate": 8_000, "seconds": 2.0}, "16000 Hz"), ({"seconds": 0.1}, "more seconds")]
)
def test_a_stream_that_gives_no_picture_is_refused_before_anything_is_written(
    tiny: FitSettings, wrong: dict[str, float], says: str
) -> None:
    with pytest.raises(ConfigError, match=says):
        fit(but(tiny, spec=SpecChoice(**wrong)))
    assert not tiny.run.exists()


def test_the_cursor_follows_what_was_trained_on_not_what_was_fetched(
    tiny: FitSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched = 0

    def note(stream: PairStream, batch: PairBatch) -> None:
        nonlocal fetched
        fetched = batch.index + 1

    monkeypatch.setattr(PairStream, "_note", note)
    fit(tiny)
    newest = RunFolder(tiny.run).newest_checkpoint()
    assert newest is not None
    assert read_checkpoint(newest)["StreamData"]["cursor"] == {"next": 6, "fingerprint": "toy"}
    assert fetched > 6


@pytest.mark.slow
@pytest.mark.parametrize(("batch_pairs", "next_index"), [(2, 3), (4, 6), (8, 12)])
def test_a_step_takes_as_many_pairs_as_the_recipe_says(tiny: FitSettings, batch_pairs: int, next_index: int) -> None:
    summary = fit(but(tiny, batch_pairs=batch_pairs))
    newest = RunFolder(tiny.run).newest_checkpoint()
    assert newest is not None
    assert summary.pairs == 6 * batch_pairs
    assert read_checkpoint(newest)["StreamData"]["cursor"]["next"] == next_index


@pytest.mark.slow
@pytest.mark.parametrize("start", ["head", 5])
def test_a_run_may_follow_live_and_be_resumed(tiny: FitSettings, start: Literal["head"] | int) -> None:
    fit(but(tiny, follow="live", start=start, max_lag=2))
    newest = RunFolder(tiny.run).newest_checkpoint()
    assert newest is not None
    begin = 0 if start == "head" else start
    assert read_checkpoint(newest)["StreamData"]["cursor"]["next"] == begin + 6
    assert fit(but(tiny, resume=True)).finished
    with pytest.raises(ConfigError, match="follow: exact != live"):
        fit(but(tiny, resume=True, follow="exact"))


def test_the_signal_handlers_are_given_back(tiny: FitSettings) -> None:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    fit(tiny)
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before


@pytest.mark.slow
def test_a_loader_process_gives_the_same_weights(tiny: FitSettings, tmp_path: Path) -> None:
    fit(tiny)
    fit(but(tiny, run=tmp_path / "worker", loader_workers=1))
    assert same(weights(tiny.run), weights(tmp_path / "worker"))


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({}, id="adam, float32"),
        pytest.param({"optimiser": "sgd", "lr": 0.5}, id="sgd", marks=pytest.mark.slow),
        pytest.param({"precision": "bf16-mixed"}, id="bfloat16", marks=pytest.mark.slow),
        pytest.param(
            {"spec": SpecChoice(block_pairs=8, dtype="float16")}, id="half-precision audio", marks=pytest.mark.slow
        ),
    ],
)
def test_training_lowers_the_loss(tiny: FitSettings, changes: dict[str, object]) -> None:
    summary = fit(but(tiny, max_steps=20, checkpoint_every=20, **{"spec": SpecChoice(block_pairs=8), **changes}))
    assert summary.loss_first is not None
    assert summary.loss_last is not None
    assert summary.loss_last < summary.loss_first - 0.2


def test_an_unreachable_gpu_is_refused_with_the_remedy(tiny: FitSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ConfigError, match="--accelerator cpu"):
        fit(but(tiny, accelerator="gpu"))


def test_a_run_that_failed_before_its_first_step_is_in_nobodys_way(
    tiny: FitSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(tone_stream.ToySource, "render", _fails)
        with pytest.raises(RenderError, match="out of order"):
            fit(tiny)
    assert not tiny.run.exists()
    assert fit(tiny).steps == 6


def _fails(source: tone_stream.ToySource, index: int) -> object:
    raise RenderError("out of order")
