"""trainer.hear keeps the contract of HEAR: the checks of its validator, and what its specification says beside."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_training import but

from pairstream.errors import CheckpointError, ConfigError, DataError
from trainer import hear
from trainer.config import ExportSettings, FitSettings
from trainer.export.export import export
from trainer.fit import fit
from trainer.probes.embedding import embed, layer_of

pytestmark = pytest.mark.filterwarnings("ignore:.*LeafSpec:FutureWarning")

#: At which the benchmark's sets are published.
SAMPLE_RATES = (16_000, 22_050, 32_000, 44_100, 48_000)


@pytest.fixture
def run(tiny: FitSettings) -> Path:
    fit(but(tiny, max_steps=2))
    return tiny.run


@pytest.fixture
def model(run: Path) -> hear.HearModel:
    return hear.load_model(str(run))


def noise(sounds: int, seconds: float, rate: int = 16_000) -> torch.Tensor:
    random = torch.Generator().manual_seed(0)
    return torch.rand(sounds, int(seconds * rate), generator=random) * 2 - 1


def test_the_model_is_a_module_with_the_attributes_that_are_asked_for(model: hear.HearModel) -> None:
    assert isinstance(model, torch.nn.Module)
    assert model.sample_rate in SAMPLE_RATES
    assert isinstance(model.scene_embedding_size, int)
    assert isinstance(model.timestamp_embedding_size, int)
    assert model.to("cpu") is model
    assert not model.training


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [1.07, 1.98, 4.0])
def test_timestamps_are_regular_and_reach_the_end(model: hear.HearModel, seconds: float) -> None:
    embeddings, timestamps = hear.get_timestamp_embeddings(noise(2, seconds), model)
    assert embeddings.dtype == torch.float32
    assert embeddings.ndim == 3
    assert embeddings.shape[:2] == timestamps.shape
    assert embeddings.shape[0] == 2
    assert embeddings.shape[2] == model.timestamp_embedding_size
    steps = np.diff(timestamps.numpy())
    assert steps.max() <= 50.0
    assert np.abs(steps - steps.mean()).max() <= 1.0
    assert timestamps.min() <= steps.mean()
    assert 1_000 * seconds - steps.mean() <= timestamps.max() <= 1_000 * seconds


def test_scenes_are_one_vector_each(model: hear.HearModel) -> None:
    embeddings = hear.get_scene_embeddings(noise(4, 2.74), model)
    assert embeddings.dtype == torch.float32
    assert embeddings.shape == (4, model.scene_embedding_size)


@pytest.mark.slow
@pytest.mark.parametrize("samples", [1, 100, 15_999, 16_000, 16_001])
def test_every_length_has_embeddings(model: hear.HearModel, samples: int) -> None:
    audio = noise(1, 1.1)[:, :samples]
    assert hear.get_scene_embeddings(audio, model).isfinite().all()
    embeddings, timestamps = hear.get_timestamp_embeddings(audio, model)
    assert embeddings.isfinite().all()
    assert timestamps.shape == (1, -(-samples // 800))


def test_a_scene_is_what_the_probe_sees(model: hear.HearModel, tmp_path: Path) -> None:
    soundfile = pytest.importorskip("soundfile")
    audio = noise(1, 2.6)
    soundfile.write(tmp_path / "clip.wav", audio[0].numpy(), 16_000, subtype="FLOAT")
    seen = embed([tmp_path / "clip.wav"], {"m": model.model}, log_mel=False)[layer_of("m", "pooled")]
    assert hear.get_scene_embeddings(audio, model)[0].numpy() == pytest.approx(seen[0], rel=1e-4, abs=1e-5)


def test_a_timestamp_is_the_middle_of_what_its_embedding_hears(model: hear.HearModel) -> None:
    """A click moves the embedding at its own time more than at those half a window away or more."""
    silence, click = torch.zeros(1, 48_000), torch.zeros(1, 48_000)
    click[0, 23_920:24_080] = 0.9  # 1.5 s
    before, times = hear.get_timestamp_embeddings(silence, model)
    after, _ = hear.get_timestamp_embeddings(click, model)
    moved = (after - before).norm(dim=2)[0]
    heard = times[0][moved > 1e-4 * moved.max()]
    assert heard.min() == pytest.approx(1_000, abs=50)
    assert heard.max() == pytest.approx(2_000, abs=50)


def test_sounds_do_not_see_each_other_and_chunks_do_not_show(
    model: hear.HearModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    audio = noise(3, 2.2)
    together = hear.get_scene_embeddings(audio, model), hear.get_timestamp_embeddings(audio, model)[0]
    monkeypatch.setattr(hear, "BATCH_SECONDS", 2)
    chunked = hear.get_scene_embeddings(audio, model), hear.get_timestamp_embeddings(audio, model)[0]
    alone = hear.get_scene_embeddings(audio[1:2], model), hear.get_timestamp_embeddings(audio[1:2], model)[0]
    for whole, parts, one in zip(together, chunked, alone, strict=True):
        torch.testing.assert_close(whole, parts, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(whole[1:2], one, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_no_more_than_a_batch_goes_through_the_encoder_at_a_time(
    model: hear.HearModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    monkeypatch.setattr(hear, "BATCH_SECONDS", 8)
    pooled = model.model.encoder.features

    def counted(pictures: torch.Tensor) -> torch.Tensor:
        seen.append(len(pictures))
        return pooled(pictures)

    monkeypatch.setattr(model.model.encoder, "features", counted)
    hear.get_timestamp_embeddings(noise(3, 2.0), model)
    hear.get_scene_embeddings(noise(20, 1.0), model)
    assert max(seen) <= 8
    assert sum(seen) == 3 * 40 + 20


def test_gradients_are_off_and_nothing_learns(model: hear.HearModel) -> None:
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    model.train()
    scene = hear.get_scene_embeddings(noise(2, 1.0).requires_grad_(), model)
    assert not scene.requires_grad
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())
    torch.nn.Linear(model.scene_embedding_size, 2)(scene).sum().backward()  # what comes out can be learned from


@pytest.mark.slow
def test_an_exported_folder_will_do_as_well(run: Path, model: hear.HearModel, tmp_path: Path) -> None:
    export(ExportSettings(checkpoint=run, to=tmp_path / "exported"))
    audio = noise(2, 1.5)
    ours = hear.get_scene_embeddings(audio, hear.load_model(tmp_path / "exported"))
    assert torch.equal(ours, hear.get_scene_embeddings(audio, model))


@pytest.mark.parametrize(
    ("audio", "error", "said"),
    [
        (torch.zeros(16_000), ConfigError, "n_sounds, n_samples"),
        (torch.zeros(2, 0), DataError, "no samples"),
        (torch.zeros(0, 16_000), DataError, "no samples"),
        (torch.full((1, 16_000), torch.nan), DataError, "not finite"),
    ],
)
def test_what_cannot_be_heard_is_said(
    model: hear.HearModel, audio: torch.Tensor, error: type[Exception], said: str
) -> None:
    for given in (hear.get_scene_embeddings, hear.get_timestamp_embeddings):
        with pytest.raises(error, match=said):
            given(audio, model)


def test_a_path_without_a_model_is_said(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no run folder"):
        hear.load_model(str(tmp_path))
