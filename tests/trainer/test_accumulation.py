"""Steps of several batches: what they compute, where they may stop, what a resumed run sees."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
import tone_stream
import torch
from tiny_training import TINY_SPEC, but, same, weights

from pairstream import StreamSpec
from pairstream.errors import RenderError
from trainer.checkpoints import read_checkpoint
from trainer.config import FitSettings
from trainer.fit import fit
from trainer.journal import read_journal
from trainer.model import AudioModel, untrained_model
from trainer.objectives.alignment_uniformity import alignment_uniformity
from trainer.plan import new_plan
from trainer.run_folder import RunFolder

pytestmark = pytest.mark.filterwarnings("ignore:.*LeafSpec:FutureWarning")


@pytest.fixture
def pairwise(tiny: FitSettings) -> FitSettings:
    """Six steps of two batches."""
    return but(tiny, accumulate=2, optimiser="sgd")


def cursor(run: Path) -> int:
    newest = RunFolder(run).newest_checkpoint()
    assert newest is not None
    return int(read_checkpoint(newest)["StreamData"]["cursor"]["next"])


def test_a_step_follows_the_mean_of_its_batches_gradients(pairwise: FitSettings) -> None:
    settings = but(pairwise, max_steps=1, checkpoint_every=1)
    fit(settings)
    plan = new_plan(settings)
    model = untrained_model(plan.recipe, plan.seed)
    source = tone_stream.ToySource(StreamSpec(**TINY_SPEC))
    losses = [step_by_hand(model, torch.from_numpy(source.render(index).audio)) for index in (0, 1)]
    rate = plan.recipe.lr * 8 / 256
    with torch.no_grad():
        for parameter in model.parameters():
            assert parameter.grad is not None
            parameter.sub_(rate * (parameter.grad / 2 + plan.recipe.weight_decay * parameter))
    found = {name.removeprefix("model."): value for name, value in weights(settings.run).items()}
    for name, value in model.state_dict().items():
        torch.testing.assert_close(found[name], value, atol=1e-6, rtol=1e-5)
    assert read_journal(RunFolder(settings.run).metrics)[0]["loss"] == pytest.approx(losses[1], rel=1e-5)


def step_by_hand(model: AudioModel, audio: torch.Tensor) -> float:
    """Adds a batch's gradient to the model's."""
    model.train()
    terms = alignment_uniformity(model(audio[:, 0]), model(audio[:, 1]))
    terms.loss.backward()
    return float(terms.loss.detach())


def test_the_cursor_and_the_counts_are_those_of_all_batches(pairwise: FitSettings) -> None:
    summary = fit(pairwise)
    assert (summary.steps, summary.pairs) == (6, 48)
    assert cursor(pairwise.run) == 12
    records = read_journal(RunFolder(pairwise.run).metrics)
    assert [(record["step"], record["index"], record["pairs"]) for record in records] == [
        (1, 1, 8), (2, 3, 16), (4, 7, 32), (6, 11, 48),
    ]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("block", [4, 5])
def test_a_signal_is_obeyed_where_a_step_ends(
    pairwise: FitSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    fit(pairwise)
    stopped = but(pairwise, run=tmp_path / "stopped", checkpoint_every=100)
    render = tone_stream.ToySource.render

    def render_and_signal(source: tone_stream.ToySource, index: int) -> object:
        if index == block:
            os.kill(os.getpid(), signal.SIGTERM)
        return render(source, index)

    with monkeypatch.context() as patch:
        patch.setattr(tone_stream.ToySource, "render", render_and_signal)
        summary = fit(stopped)
    assert not summary.finished
    assert cursor(stopped.run) == 2 * summary.steps
    assert fit(but(stopped, resume=True)).finished
    assert same(weights(pairwise.run), weights(stopped.run))


@pytest.mark.slow
@pytest.mark.parametrize("ends_at", [6, 7])
def test_a_stream_that_fails_within_a_step_leaves_the_last_whole_one(
    pairwise: FitSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ends_at: int
) -> None:
    fit(pairwise)
    failed = but(pairwise, run=tmp_path / "failed", checkpoint_every=1)
    with monkeypatch.context() as patch:
        patch.setattr(tone_stream, "ENDS_AT", ends_at)
        with pytest.raises(RenderError):
            fit(failed)
    assert cursor(failed.run) in (4, 6), "what was fetched ahead when it failed may be lost, but no half step is kept"
    assert fit(but(failed, resume=True)).finished
    assert same(weights(pairwise.run), weights(failed.run))
