"""probe: from recordings of two pitches to a table."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from tiny_training import TINY_RECIPE, but

from pairstream.errors import CheckpointError, ConfigError, DataError
from trainer import cli
from trainer.checkpoints import load_model
from trainer.clips import frames_of, read_clip
from trainer.config import FitSettings
from trainer.embed import represent
from trainer.fit import fit
from trainer.model import untrained_model
from trainer.probe import REPRESENTATIONS, probe
from trainer.probe_table import markdown

pytestmark = pytest.mark.filterwarnings("ignore:.*LeafSpec:FutureWarning")


@pytest.fixture
def pitches(tmp_path: Path) -> Path:
    """Twelve clips, half of them low and half high, in three folds, from 0.2 to 2.4 s long."""
    folder = tmp_path / "pitches"
    folder.mkdir()
    lines = ["file,label,fold"]
    random = np.random.default_rng(0)
    for number in range(12):
        high = number % 2
        samples = 3_200 * (number + 1)
        wave = np.sin(2 * np.pi * (300 + 3_000 * high + 20 * number) * np.arange(samples) / 16_000)
        soundfile.write(folder / f"{number}.flac", 0.3 * wave + 0.01 * random.standard_normal(samples), 16_000)
        lines.append(f"{number}.flac,{'high' if high else 'low'},{number % 3}")
    (folder / "manifest.csv").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture
def run(tiny: FitSettings) -> Path:
    """A run of two steps."""
    fit(but(tiny, max_steps=2))
    return tiny.run


def test_every_representation_is_in_the_table(run: Path, pitches: Path) -> None:
    (row,) = probe(run, [pitches]).rows
    assert tuple(row.accuracy) == REPRESENTATIONS
    assert row.accuracy["log-mel"] == 1.0
    assert all(0.0 <= value <= 1.0 for value in row.accuracy.values())
    assert (row.data, row.clips, row.classes, row.protocol, row.chance) == ("pitches", 12, 2, "3 folds", 0.5)


def test_an_embedding_is_the_mean_over_the_frames_of_a_clip(pitches: Path) -> None:
    model = untrained_model(TINY_RECIPE, 0).eval()
    files = [pitches / "0.flac", pitches / "11.flac"]
    vectors = represent(files, {"some": model})
    for file, pooled, final in zip(files, vectors["some pooled"], vectors["some final"], strict=True):
        with torch.no_grad():
            frames = torch.from_numpy(frames_of(read_clip(file)))
            np.testing.assert_allclose(pooled, model.features(frames).mean(dim=0).numpy(), atol=1e-5)
            np.testing.assert_allclose(final, model(frames).mean(dim=0).numpy(), atol=1e-5)
    assert vectors["log-mel"].shape == (2, 128)


def test_the_command_shows_and_writes_the_table(run: Path, pitches: Path, capsys: pytest.CaptureFixture[str]) -> None:
    extra = run.parent / "extra.json"
    arguments = ["probe", "--checkpoint", str(run), "--data", str(pitches), "--json", str(extra)]
    assert cli.main([*arguments, "--accelerator", "cpu"]) == 0
    assert "pitches" in capsys.readouterr().out
    written = json.loads(extra.read_text())
    assert written == json.loads((run / "probe.json").read_text())
    assert written["rows"][0]["accuracy"]["log-mel"] == 1.0
    assert "| pitches | 12 clips, 2 classes, 3 folds | 0.500 | **1.000** |" in (run / "probe.md").read_text()


def test_the_markdown_is_a_table(run: Path, pitches: Path) -> None:
    lines = markdown(probe(run, [pitches, pitches])).splitlines()
    assert {line.count("|") for line in lines[2:]} == {9}
    assert len(lines) == 6


def test_the_untrained_baseline_is_the_run_s_own_model_before_its_first_step(run: Path) -> None:
    trained, plan = load_model(run)
    untrained = untrained_model(plan.recipe, plan.seed)
    moved = [not torch.equal(a, b) for a, b in zip(trained.parameters(), untrained.parameters(), strict=True)]
    assert any(moved)
    pairs = zip(trained.parameters(), untrained.parameters(), strict=True)
    assert max(float((a - b).detach().abs().max()) for a, b in pairs) < 0.1


def test_a_checkpoint_file_will_do(run: Path, pitches: Path) -> None:
    file = next((run / "checkpoints").iterdir())
    assert probe(file, [pitches]).checkpoint == str(file)


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
def test_a_checkpoint_that_cannot_be_used_is_named(run: Path, pitches: Path, damage: object, said: str) -> None:
    file = next((run / "checkpoints").iterdir())
    assert callable(damage)
    damage(file)
    with pytest.raises(CheckpointError, match=said):
        probe(run, [pitches])


def test_a_damaged_clip_is_one_line_and_no_traceback(
    run: Path, pitches: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (pitches / "3.flac").write_bytes(b"no audio")
    assert cli.main(["probe", "--checkpoint", str(run), "--data", str(pitches)]) == DataError.exit_code
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "3.flac: it cannot be read as audio" in error
    assert not (run / "probe.json").exists()


@pytest.mark.parametrize(("data", "c", "said"), [([], 0.1, "nothing to probe on"), ([Path()], 0.0, "c=0.0")])
def test_settings_that_cannot_be_meant_are_refused(data: list[Path], c: float, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        probe(Path("run"), data, c=c)
