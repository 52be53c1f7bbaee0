"""fit --resume: whole runs on toy streams, stopped and continued, in this process."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest
import tone_stream
import torch
from tiny_training import but, same, weights

from pairstream.errors import CheckpointError, ConfigError, RefusedError, RenderError
from trainer.checkpoints import read_checkpoint
from trainer.config import FitSettings, SpecChoice
from trainer.fit import fit
from trainer.journal import read_journal
from trainer.run_folder import RunFolder

#: Lightning 2.6 asks torch 2.13 for a name that it will soon not have.
pytestmark = pytest.mark.filterwarnings("ignore:.*LeafSpec:FutureWarning")


def stop_after(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGTERM arrives while block `step` is rendered."""
    render = tone_stream.ToySource.render

    def render_and_signal(source: tone_stream.ToySource, index: int) -> object:
        if index == step:
            os.kill(os.getpid(), signal.SIGTERM)
        return render(source, index)

    monkeypatch.setattr(tone_stream.ToySource, "render", render_and_signal)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"optimiser": "sgd"}, marks=pytest.mark.slow),
        pytest.param(
            {"optimiser": "sgd", "momentum": 0.9, "schedule": "cosine", "warmup": 0.5}, marks=pytest.mark.slow
        ),
        {"optimiser": "adam"},
        pytest.param({"optimiser": "adamw"}, marks=pytest.mark.slow),
        pytest.param(
            {"objective": "byol", "projector": (8, 4), "tau": 0.5, "theta_weight": 1.0}, marks=pytest.mark.slow
        ),
    ],
    ids=lambda changes: " ".join(map(str, changes.values())),
)
def test_stopped_and_resumed_is_bit_equal_to_uninterrupted(
    tiny: FitSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any]
) -> None:
    settings = but(tiny, checkpoint_every=100, **changes)
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


@pytest.mark.slow
def test_whoever_is_started_again_resumes_or_starts_or_has_nothing_to_do(
    tiny: FitSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = but(tiny, log_every=1, resume_or_start=True)
    with monkeypatch.context() as patch:
        stop_after(3, patch)
        assert not fit(service).finished
    assert fit(service).finished
    assert fit(service).steps == 6
    assert [record["index"] for record in read_journal(tiny.run / "metrics.jsonl")] == [0, 1, 2, 3, 4, 5]


def test_one_that_was_killed_before_its_first_checkpoint_starts_again(
    tiny: FitSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = but(tiny, resume_or_start=True)
    with monkeypatch.context() as patch:
        patch.setattr(RunFolder, "discard", lambda _: None)  # a killed process tidies nothing up
        patch.setattr(tone_stream.ToySource, "render", broken)
        with pytest.raises(RenderError):
            fit(but(service, held_out=0))
    assert tiny.run.exists()
    assert fit(service).finished


def broken(source: tone_stream.ToySource, index: int) -> object:
    raise RenderError("not today")


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


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"max_steps": 7}, r"recipe\.max_steps: 7 != 6"),
        ({"lr": 0.5}, r"recipe\.lr: 0\.5 != "),
        ({"seed": 3}, "seed: 3 != 0"),
        ({"spec": SpecChoice(delta=0.5)}, r"spec\.delta: 0\.5 != 0\.1"),
        ({"preset": "paper", "max_steps": None}, r"recipe\.weight_decay: 1e-06 != 0\.0001"),
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


@pytest.mark.slow
@pytest.mark.parametrize("step", [4, 6])
def test_resuming_from_the_checkpoint_of_another_version_names_what_differs(tiny: FitSettings, step: int) -> None:
    fit(tiny)
    file = RunFolder(tiny.run).newest_checkpoint()
    assert file is not None
    checkpoint = read_checkpoint(file) | {"global_step": step}
    checkpoint["state_dict"]["model.encoder.of_old"] = checkpoint["state_dict"].popitem()[1]
    torch.save(checkpoint, file)
    with pytest.raises(CheckpointError, match=r"another version, whose .* is not this one's \(2 such names\)"):
        fit(but(tiny, resume=True))


@pytest.mark.slow
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
