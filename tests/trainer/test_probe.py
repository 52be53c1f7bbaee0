"""probe: from recordings of two pitches to tables."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pitches import write_pitches
from tiny_training import but

from pairstream.errors import CheckpointError, ConfigError
from trainer.checkpoints import load_model, read_checkpoint
from trainer.clips import frames_of, read_clip
from trainer.config import FitSettings
from trainer.fit import fit
from trainer.model import untrained_model
from trainer.presets import PRESETS
from trainer.probe import probe
from trainer.probe_settings import ProbeSettings
from trainer.probes.embedding import embed, layer_of
from trainer.probes.report import ProbeReport, report_of
from trainer.probes.subjects import identity_of
from trainer.probes.tables import markdown
from trainer.run_folder import RunFolder

pytestmark = pytest.mark.filterwarnings("ignore:.*LeafSpec:FutureWarning")


def settings(tmp_path: Path, checkpoints: list[Any], data: list[Path], **more: Any) -> ProbeSettings:
    quick: dict[str, Any] = {"probe": ["linear", "knn"], "jobs": 1, "accelerator": "cpu", "cache": tmp_path / "cache"}
    quick |= {"untrained": 0, "quiet": True}
    return ProbeSettings(checkpoint=[str(one) for one in checkpoints], data=data, **quick | more)


def report(tmp_path: Path, checkpoints: list[Any], data: list[Path], **more: Any) -> ProbeReport:
    return report_of(probe(settings(tmp_path, checkpoints, data, **more)))


def test_every_representation_is_in_the_table_for_every_probe(tmp_path: Path, run: Path, pitches: Path) -> None:
    found = report(tmp_path, [run], [pitches], untrained=2)
    layers = [f"{name}, {layer}" for name in ("untrained", "trained") for layer in ("pooled", "final")]
    assert found.rows == ["log-mel", *layers]
    assert list(found.probes) == ["linear", "knn"]
    assert found.cell("linear", "log-mel", "pitches").mean == 1.0
    assert len(found.runs("knn", "untrained, final", "pitches")) == 2
    (data,) = found.data
    assert (data.clips, data.tested, data.classes, data.protocol, data.chance) == (12, 12, 2, "3 folds", 0.5)
    assert all(len(result.of_folds) == 3 for result in found.results)


def test_an_embedding_is_the_mean_over_the_frames_of_a_clip(pitches: Path) -> None:
    model = untrained_model(PRESETS["demo"].recipe, seed=0).eval()
    files = [pitches / "0.flac", pitches / "11.flac", pitches / "1.flac"]
    vectors = embed(files, {"some": model}, log_mel=True)
    pooled, final = (vectors[layer_of("some", layer)] for layer in ("pooled", "final"))
    for row, file in enumerate(files):
        with torch.no_grad():
            frames = torch.from_numpy(frames_of(read_clip(file)))
            np.testing.assert_allclose(pooled[row], model.features(frames).mean(dim=0).numpy(), atol=1e-5)
            np.testing.assert_allclose(final[row], model(frames).mean(dim=0).numpy(), atol=1e-5)
    assert vectors["log-mel"].shape == (3, 128)


@pytest.mark.slow
def test_seeds_of_one_experiment_are_one_row_with_students_interval(
    tmp_path: Path, tiny: FitSettings, pitches: Path
) -> None:
    runs = [tmp_path / f"seed{seed}" for seed in (0, 1)]
    for seed, folder in enumerate(runs):
        fit(but(tiny, run=folder, max_steps=2, seed=seed))
    found = report(tmp_path, runs, [pitches], layer=["final"])
    assert found.rows == ["log-mel", "untrained, final", "trained, final"]
    both = [result.estimate.mean for result in found.runs("knn", "trained, final", "pitches")]
    assert found.cell("knn", "trained, final", "pitches").mean == pytest.approx(sum(both) / 2)
    assert found.cell("knn", "trained, final", "pitches").over == "2 runs"
    assert "(2)" in markdown(found)


@pytest.mark.slow
def test_all_checkpoints_of_a_run_are_rows_of_their_own(tmp_path: Path, tiny: FitSettings, pitches: Path) -> None:
    fit(but(tiny, max_steps=4))
    found = report(tmp_path, [tiny.run], [pitches], every_checkpoint=True, layer=["final"])
    assert found.rows == ["log-mel", "untrained, final", "step=2, final", "step=4, final"]


def test_what_is_in_the_cache_is_not_computed_again(
    tmp_path: Path, run: Path, pitches: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = report(tmp_path, [run], [pitches])
    with monkeypatch.context() as patch:
        patch.setattr("trainer.probes.measure.embed", None)
        patch.setattr("trainer.probes.measure.scores_of_file", None)
        assert report(tmp_path, [run], [pitches]) == before
    monkeypatch.setattr("trainer.probes.measure.embed", None)
    assert next(iter(report(tmp_path, [run], [pitches], c=0.5).probes.values())).endswith("C = 0.5")


@pytest.mark.slow
@pytest.mark.parametrize("change", ["weights", "buffers", "clip", "labels"])
def test_any_change_of_weights_or_data_is_computed_anew(
    tmp_path: Path, run: Path, pitches: Path, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    report(tmp_path, [run], [pitches])
    if change in ("weights", "buffers"):
        file = RunFolder(run).newest_checkpoint()
        assert file is not None
        checkpoint = read_checkpoint(file)
        name = next(key for key in checkpoint["state_dict"] if ("running" in key) == (change == "buffers"))
        checkpoint["state_dict"][name].view(-1)[0] += 1e-3
        torch.save(checkpoint, file)
    elif change == "clip":
        shutil.copy(pitches / "2.flac", pitches / "0.flac")
    else:
        manifest = pitches / "manifest.csv"
        manifest.write_text(manifest.read_text().replace("0.flac,low", "0.flac,high"))
    done: list[str] = []
    monkeypatch.setattr("trainer.probes.measure.embed", lambda *_, **__: done.append("embedded") or {})
    monkeypatch.setattr("trainer.probes.measure.scores_of_file", lambda *_: done.append("scored") or np.ones((1, 12)))
    report(tmp_path, [run], [pitches])
    assert ("embedded" in done) == (change != "labels")
    assert "scored" in done


def test_equal_models_are_equal_wherever_they_are_saved(run: Path) -> None:
    model, plan = load_model(run)
    assert identity_of(model) == identity_of(load_model(RunFolder(run).newest_checkpoint() or run)[0])
    assert identity_of(model) != identity_of(untrained_model(plan.recipe, plan.seed))


def test_the_untrained_baseline_is_the_run_s_own_encoder_before_its_first_step(run: Path) -> None:
    trained, plan = load_model(run)
    untrained = untrained_model(plan.recipe, plan.seed)
    pairs = list(zip(trained.parameters(), untrained.parameters(), strict=True))
    assert any(not torch.equal(a, b) for a, b in pairs)
    assert max(float((a - b).detach().abs().max()) for a, b in pairs) < 0.1


def test_a_run_may_be_named(tmp_path: Path, run: Path, pitches: Path) -> None:
    found = report(tmp_path, [f"mine={run}"], [pitches], layer=["pooled"])
    assert found.rows[-1] == "mine, pooled"


def test_recordings_of_other_rates_and_two_channels_are_heard(tmp_path: Path, run: Path) -> None:
    other = write_pitches(tmp_path / "other", rate=44_100)
    assert report(tmp_path, [run], [other]).cell("linear", "log-mel", "other").mean == 1.0


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        pytest.param(lambda file: file.unlink(), "no run folder with one", id="missing"),
        pytest.param(lambda file: file.write_bytes(b""), "is damaged or no checkpoint", id="empty"),
        pytest.param(lambda file: file.write_bytes(file.read_bytes()[:-500]), "is damaged", id="truncated"),
        pytest.param(lambda file: file.write_text("hello"), "is damaged or no checkpoint", id="text"),
        pytest.param(lambda file: torch.save({"state_dict": {}}, file), "another program", id="another program's"),
        pytest.param(lambda file: torch.save([1, 2], file), "another program", id="a list"),
    ],
)
def test_a_checkpoint_that_cannot_be_used_is_named(
    tmp_path: Path, run: Path, pitches: Path, damage: Any, said: str
) -> None:
    damage(next((run / "checkpoints").iterdir()))
    with pytest.raises(CheckpointError, match=said):
        report(tmp_path, [run], [pitches])


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"checkpoint": []}, "nothing to probe; name run folders"),
        ({"data": []}, "nothing to probe on"),
        ({"probe": ["telepathy"]}, "'telepathy' is unknown; use one of linear, mlp"),
        ({"untrained": -1}, "untrained=-1"),
        ({"jobs": 0}, "jobs=0"),
        ({"markdown": Path("x.md"), "section": "-->"}, "section='-->'"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(more: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        ProbeSettings(**{"checkpoint": ["run"], "data": [Path("data")]} | more)


def test_a_training_that_is_named_twice_is_no_two_seeds(tmp_path: Path, run: Path, pitches: Path) -> None:
    shutil.copytree(run, tmp_path / "copy")
    with pytest.raises(ConfigError, match="are one training, and would count as two"):
        report(tmp_path, [run, tmp_path / "copy"], [pitches])


@pytest.mark.slow
def test_a_checkpoint_has_its_step_whatever_it_is_called(tmp_path: Path, tiny: FitSettings, pitches: Path) -> None:
    fit(but(tiny, max_steps=4))
    for step in (2, 4):
        (tiny.run / f"checkpoints/step-{step:08}.ckpt").rename(tmp_path / f"of-{step}.ckpt")
    found = report(tmp_path, [tmp_path / "of-2.ckpt", tmp_path / "of-4.ckpt"], [pitches], layer=["final"])
    assert found.rows[2:] == ["step=2, final", "step=4, final"]


def test_a_probe_that_is_said_twice_is_fitted_once(tmp_path: Path, run: Path, pitches: Path) -> None:
    found = report(tmp_path, [run], [pitches], probe=["knn", "knn"], layer=["final"])
    assert len(found.runs("knn", "trained, final", "pitches")) == 1


@pytest.mark.slow
def test_a_copy_of_a_run_may_have_a_row_of_its_own(tmp_path: Path, run: Path, pitches: Path) -> None:
    shutil.copytree(run, tmp_path / "copy")
    found = report(tmp_path, [f"one={run}", f"two={tmp_path / 'copy'}"], [pitches], layer=["final"])
    assert found.rows == ["log-mel", "untrained, final", "one, final", "two, final"]
    assert found.cell("knn", "one, final", "pitches") == found.cell("knn", "two, final", "pitches")


def test_an_encoder_whose_pooled_layer_is_its_last_has_one_row(
    tmp_path: Path, tiny: FitSettings, pitches: Path
) -> None:
    fit(but(tiny, max_steps=2, encoder="byola-small", width=8))
    assert report(tmp_path, [tiny.run], [pitches]).rows == ["log-mel", "untrained, pooled", "trained, pooled"]
    assert report(tmp_path, [tiny.run], [pitches], layer=["final"]).rows[-1] == "trained, pooled"


def test_an_encoder_that_diverged_is_told(tmp_path: Path, run: Path, pitches: Path) -> None:
    file = next((run / "checkpoints").iterdir())
    checkpoint = read_checkpoint(file)
    checkpoint["state_dict"]["model.encoder.fc.bias"][:] = float("nan")
    torch.save(checkpoint, file)
    with pytest.raises(CheckpointError, match=r"run gives vectors that are not finite numbers"):
        report(tmp_path, [run], [pitches])


def test_two_folders_of_one_name_cannot_be_told_apart(tmp_path: Path, run: Path, pitches: Path) -> None:
    with pytest.raises(ConfigError, match="two folders of recordings are called pitches"):
        report(tmp_path, [run], [pitches, pitches])


def test_a_checkpoint_is_named_once(tmp_path: Path, run: Path, pitches: Path) -> None:
    with pytest.raises(ConfigError, match="named twice"):
        report(tmp_path, [run, f"again={run}"], [pitches])
