"""fit: whole runs on toy streams, in this process."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest
import tone_stream
import torch
from tiny_training import but

from pairstream.errors import CheckpointError, ConfigError, RefusedError, RenderError
from pairstream.torch import PairBatch, PairStream
from trainer.checkpoints import read_checkpoint
from trainer.config import FitSettings, SpecChoice
from trainer.fit import fit
from trainer.journal import read_journal
from trainer.run_folder import RunFolder

#: Lightning 2.6 asks torch 2.13 for a name that it will soon not have.
pytestmark = pytest.mark.filterwarnings("ignore:.*LeafSpec:FutureWarning")


def weights(run: Path) -> dict[str, torch.Tensor]:
    newest = RunFolder(run).newest_checkpoint()
    assert newest is not None
    state: dict[str, torch.Tensor] = read_checkpoint(newest)["state_dict"]
    return state


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def stop_after(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGTERM arrives while block `step` is rendered."""
    render = tone_stream.ToySource.render

    def render_and_signal(source: tone_stream.ToySource, index: int) -> object:
        if index == step:
            os.kill(os.getpid(), signal.SIGTERM)
        return render(source, index)

    monkeypatch.setattr(tone_stream.ToySource, "render", render_and_signal)


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
    assert "torch" in config["versions"]
    assert list(folder.tensorboard.glob("events.*"))


def test_the_same_plan_gives_the_same_weights(tiny: FitSettings, tmp_path: Path) -> None:
    for name in ("one", "two"):
        fit(but(tiny, run=tmp_path / name))
    assert same(weights(tmp_path / "one"), weights(tmp_path / "two"))


@pytest.mark.parametrize("optimiser", ["sgd", "adam"])
def test_stopped_and_resumed_is_bit_equal_to_uninterrupted(
    tiny: FitSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, optimiser: str
) -> None:
    settings = but(tiny, optimiser=optimiser, checkpoint_every=100)
    fit(settings)
    with monkeypatch.context() as patch:
        stop_after(3, patch)
        stopped = fit(but(settings, run=tmp_path / "stopped"))
    assert not stopped.finished
    assert 0 < stopped.steps < 6
    resumed = fit(but(settings, run=tmp_path / "stopped", resume=True))
    assert resumed.finished
    assert resumed.pairs == 24
    assert same(weights(settings.run), weights(tmp_path / "stopped"))


def test_resuming_reads_every_block_once(tiny: FitSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        stop_after(3, patch)
        fit(but(tiny, log_every=1))
    fit(but(tiny, log_every=1, resume=True))
    records = read_journal(tiny.run / "metrics.jsonl")
    assert [record["index"] for record in records] == [0, 1, 2, 3, 4, 5]
    assert [record["step"] for record in records] == [1, 2, 3, 4, 5, 6]


def test_a_stream_that_fails_leaves_a_checkpoint_to_resume_from(
    tiny: FitSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(tone_stream, "ENDS_AT", 5)
        with pytest.raises(RenderError, match="ends at 5"):
            fit(but(tiny, checkpoint_every=100))
    newest = RunFolder(tiny.run).newest_checkpoint()
    assert newest is not None
    assert fit(but(tiny, resume=True)).finished


def test_a_finished_run_can_be_resumed_to_no_effect(tiny: FitSettings) -> None:
    first = fit(but(tiny, held_out=8))
    before = weights(tiny.run)
    again = fit(but(tiny, held_out=8, resume=True))
    assert (again.steps, again.pairs, again.loss_last) == (first.steps, first.pairs, first.loss_last)
    assert again.hit_at_1_after == first.hit_at_1_after
    assert same(before, weights(tiny.run))


def test_an_existing_run_is_not_overwritten(tiny: FitSettings) -> None:
    fit(tiny)
    before = (tiny.run / "config.json").read_bytes()
    with pytest.raises(ConfigError, match=r"exists already.*--resume"):
        fit(tiny)
    assert (tiny.run / "config.json").read_bytes() == before


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"max_steps": 7}, r"recipe\.max_steps: 7 != 6"),
        ({"lr": 0.5}, r"recipe\.lr: 0\.5 != "),
        ({"seed": 3}, "seed: 3 != 0"),
        ({"spec": SpecChoice(delta=0.5)}, r"spec\.delta: 0\.5 != 0\.1"),
        ({"preset": "paper", "max_steps": None}, r"recipe\.optimiser: 'sgd' != 'adam'"),
    ],
)
def test_resuming_with_another_plan_is_refused(tiny: FitSettings, changes: dict[str, object], named: str) -> None:
    fit(tiny)
    with pytest.raises(ConfigError, match=named):
        fit(but(tiny, resume=True, **changes))


def test_resuming_what_was_never_begun_is_refused(tiny: FitSettings) -> None:
    with pytest.raises(CheckpointError, match="is no run folder"):
        fit(but(tiny, resume=True))


def test_resuming_from_a_damaged_checkpoint_names_it(tiny: FitSettings) -> None:
    fit(tiny)
    newest = RunFolder(tiny.run).newest_checkpoint()
    assert newest is not None
    newest.write_bytes(newest.read_bytes()[:1000])
    with pytest.raises(CheckpointError, match=r"step-00000006\.ckpt is damaged"):
        fit(but(tiny, resume=True))


@pytest.mark.parametrize("held_out", [0, 8])
def test_a_stream_that_cannot_be_had_leaves_no_folder(tiny: FitSettings, held_out: int) -> None:
    with pytest.raises(ConfigError, match="carrier-pigeon"):
        fit(but(tiny, stream="carrier-pigeon://", held_out=held_out))
    assert not tiny.run.exists()


@pytest.mark.parametrize(
    ("wrong", "says"), [({"sample_rate": 8_000, "seconds": 2.0}, "16000 Hz"), ({"seconds": 0.5}, "seconds=1.0 or more")]
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


def test_the_signal_handlers_are_given_back(tiny: FitSettings) -> None:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    fit(tiny)
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before


def test_a_loader_process_gives_the_same_weights(tiny: FitSettings, tmp_path: Path) -> None:
    fit(tiny)
    fit(but(tiny, run=tmp_path / "worker", loader_workers=1))
    assert same(weights(tiny.run), weights(tmp_path / "worker"))


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({}, id="adam, float32"),
        pytest.param({"optimiser": "sgd", "lr": 0.5}, id="sgd"),
        pytest.param({"precision": "bf16-mixed"}, id="bfloat16"),
        pytest.param({"spec": SpecChoice(block_pairs=8, dtype="float16")}, id="half-precision audio"),
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


def test_a_run_resumes_on_the_arithmetic_it_began_with_unless_told_otherwise(
    tiny: FitSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(tone_stream, "ENDS_AT", 4)
        with pytest.raises(RenderError):
            fit(tiny)
    monkeypatch.setattr(tone_stream.ToySource, "fingerprint", "another processor")
    with pytest.raises(RefusedError, match="its bytes would differ"):
        fit(but(tiny, resume=True))
    assert fit(but(tiny, resume=True, any_arithmetic=True)).steps == 6


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
