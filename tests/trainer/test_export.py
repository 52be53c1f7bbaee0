"""trainer export: what is written is the model, whole, and can be read without its run."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
import torch
from pitches import write_pitches
from safetensors.torch import load_file, save_file
from tiny_training import but

from pairstream.errors import CheckpointError, ConfigError
from trainer import cli
from trainer.checkpoints import load_model
from trainer.config import ExportSettings, FitSettings
from trainer.export import export as exporting
from trainer.export import onnx_graph, whole_way
from trainer.export.check import agreement, live, sounds
from trainer.export.export import export
from trainer.exported import KIND, VERSION, sha256
from trainer.fit import fit
from trainer.material import Material
from trainer.model import untrained_model
from trainer.picture import Levels, Picture
from trainer.recipe import EncoderName, Recipe

pytestmark = pytest.mark.filterwarnings("ignore:.*LeafSpec:FutureWarning")


@pytest.fixture
def run(tiny: FitSettings) -> Path:
    fit(but(tiny, max_steps=2, held_out=8))
    return tiny.run


@pytest.fixture
def folder(run: Path, tmp_path: Path) -> Path:
    """An exported folder with the weights."""
    export(ExportSettings(checkpoint=run, to=tmp_path / "exported"))
    return tmp_path / "exported"


def test_an_exported_folder_gives_the_same_vectors_as_its_run(run: Path, folder: Path) -> None:
    (ours, plan), (theirs, same_plan) = load_model(run), load_model(folder)
    audio = torch.rand(3, 20_000) * 2 - 1
    assert plan == same_plan
    with torch.no_grad():
        assert torch.equal(ours(audio), theirs(audio))
        assert torch.equal(ours.features(audio), load_model(folder / "model.safetensors")[0].features(audio))


def test_it_needs_nothing_of_the_run(run: Path, folder: Path) -> None:
    run.rename(run.with_name("gone"))
    model, _ = load_model(folder)
    config = json.loads((folder / "config.json").read_text())
    assert (config["kind"], config["version"]) == (KIND, VERSION)
    assert config["sample_rate"] == model.sample_rate
    assert config["feature_size"] == model.encoder.feature_size
    assert config["trained"]["steps"] == 2
    assert config["trained"]["pairs"] == 8
    assert config["files"]["model.safetensors"]["sha256"] == sha256(folder / "model.safetensors")


@pytest.mark.slow
def test_the_card_gives_no_licence_to_what_learned_from_recordings(tiny: FitSettings, tmp_path: Path) -> None:
    write_pitches(tmp_path / "clips")
    fit(but(tiny, max_steps=1, held_out=0, data=Material(recordings=str(tmp_path / "clips"))))
    export(ExportSettings(checkpoint=tiny.run, to=tmp_path / "exported"))
    card = (tmp_path / "exported/README.md").read_text()
    assert "license: other\n" in card
    assert "what their licences allow" in card
    assert "apache" not in card.lower()


def test_the_card_says_how_to_load_it_and_only_what_the_run_knew(run: Path, tmp_path: Path, folder: Path) -> None:
    card = (folder / "README.md").read_text()
    assert 'load_model(Path("exported"))' in card
    assert "| hit_at_1_after | " in card
    assert "model.onnx" not in card
    (run / "summary.json").unlink()
    export(ExportSettings(checkpoint=run, to=tmp_path / "without"))
    assert "hit_at_1_after" not in (tmp_path / "without" / "README.md").read_text()


@pytest.mark.slow
def test_numbers_of_another_checkpoint_are_not_taken(run: Path, tiny: FitSettings, tmp_path: Path) -> None:
    fit(but(tiny, run=tmp_path / "longer", held_out=8))
    export(ExportSettings(checkpoint=tmp_path / "longer/checkpoints/step-00000002.ckpt", to=tmp_path / "early"))
    trained = json.loads((tmp_path / "early" / "config.json").read_text())["trained"]
    assert trained["steps"] == 2
    assert "hit_at_1_after" not in trained


@pytest.mark.slow
def test_half_precision_is_half_the_bytes_and_nearly_the_same(run: Path, folder: Path, tmp_path: Path) -> None:
    (half,) = export(ExportSettings(checkpoint=run, to=tmp_path / "half", dtype="float16"))
    assert 0 < half.agreement.difference <= half.agreement.tolerance
    kept = load_file(tmp_path / "half/model.safetensors").values()
    assert {tensor.dtype for tensor in kept} == {torch.float16, torch.int64}
    model, _ = load_model(tmp_path / "half")
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    assert (tmp_path / "half/model.safetensors").stat().st_size < (folder / "model.safetensors").stat().st_size


def test_the_sounds_of_the_check_vary_in_all_that_matters() -> None:
    batches = list(sounds(16_000, 3_000))
    assert len({batch.shape for batch in batches}) == len(batches)
    assert len({len(batch) for batch in batches}) > 1
    assert all(batch.abs().max() <= 1.1 for batch in batches)
    assert any((row == 0).all() for batch in batches for row in batch)


def test_a_file_that_is_not_the_model_is_refused(run: Path) -> None:
    model, _ = load_model(run)

    def deaf(audio: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        features, embedding = live(model)(audio)
        return features, embedding * 1.001

    with pytest.raises(CheckpointError, match=r"model\.x is not the model.*nothing was written"):
        agreement("model.x", model, deaf, 1e-4, 3_000)
    assert agreement("model.x", model, deaf, 2e-3, 3_000).difference == pytest.approx(1e-3, rel=0.1)


def test_what_is_no_number_agrees_with_nothing(run: Path) -> None:
    model, _ = load_model(run)

    def void(audio: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        features, embedding = live(model)(audio)
        return features, embedding * float("nan")

    with pytest.raises(CheckpointError, match=r"model\.x gives vectors that are not finite numbers"):
        agreement("model.x", model, void, 1e-4, 3_000)
    next(model.encoder.parameters()).data.fill_(float("nan"))
    with pytest.raises(CheckpointError, match="the live model gives vectors that are not finite"):
        agreement("model.x", model, live(model), 1e-4, 3_000)


def test_what_fails_leaves_nothing(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise CheckpointError("it broke")

    before = sorted(tmp_path.iterdir())
    monkeypatch.setattr(exporting, "agreement", broken)
    with pytest.raises(CheckpointError, match="it broke"):
        export(ExportSettings(checkpoint=run, to=tmp_path / "exported"))
    assert sorted(tmp_path.iterdir()) == before


def test_an_existing_folder_is_not_overwritten(run: Path, folder: Path) -> None:
    with pytest.raises(ConfigError, match="exists already"):
        export(ExportSettings(checkpoint=run, to=folder))


def damage_weights(folder: Path) -> None:
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-1] + b"\x7f")


def damage_config(folder: Path) -> None:
    (folder / "config.json").write_text("{")


def lose_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()


def change(folder: Path, **values: object) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | values))


def other_weights(folder: Path) -> None:
    save_file({"encoder.fc.weight": torch.zeros(2, 2)}, folder / "model.safetensors")
    change(folder, files={"model.safetensors": {"sha256": sha256(folder / "model.safetensors")}})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (damage_weights, "SHA-256 differs"),
        (damage_config, "config.json cannot be read"),
        (lose_weights, "has no model.safetensors"),
        (other_weights, "model.safetensors was written by another version"),
        (lambda folder: change(folder, version=99), "version 99 of the format, and this trainer reads version 1"),
        (lambda folder: change(folder, kind="another"), "was not written by `trainer export`"),
        (lambda folder: change(folder, files={}), "says nothing of model.safetensors"),
        (lambda folder: change(folder, plan={"recipe": {"sight": 1}}), "written by another version"),
    ],
)
def test_a_damaged_folder_ends_in_one_line(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], harm, said: str
) -> None:
    harm(folder)
    capsys.readouterr()
    assert cli.main(["export", "--checkpoint", str(folder), "--to", str(tmp_path / "again")]) == 8
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


@pytest.mark.slow
@pytest.mark.parametrize(("encoder", "levels"), [("byola-small", "per-sound"), ("ast-tiny", "as-they-are")])
def test_other_encoders_and_pictures_can_be_handed_over(encoder: EncoderName, levels: Levels, tmp_path: Path) -> None:
    recipe = Recipe(
        max_steps=1, optimiser="adam", lr=1e-3, weight_decay=0.0, encoder=encoder, frontend=Picture(levels=levels),
    )  # fmt: skip
    model = untrained_model(recipe, 0).eval()
    program = whole_way.traced(model)
    least = whole_way.shortest(model, program)
    onnx_graph.write_onnx(program, tmp_path / "model.onnx")
    agreement("model.onnx", model, onnx_graph.read_onnx(tmp_path / "model.onnx"), 1e-4, least)
    whole_way.write_program(program, tmp_path / "model.pt2")
    agreement("model.pt2", model, whole_way.read_program(tmp_path / "model.pt2"), 1e-4, least)


@pytest.mark.slow
def test_onnx_and_torch_export_take_audio_of_any_length(run: Path, tmp_path: Path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    files = export(ExportSettings(checkpoint=run, to=tmp_path / "all", format=["onnx", "torch-export"]))
    assert [item.name for item in files] == ["model.onnx", "model.pt2"]
    model, _ = load_model(run)
    session = onnxruntime.InferenceSession(tmp_path / "all/model.onnx", providers=["CPUExecutionProvider"])
    graph = torch.export.load(tmp_path / "all/model.pt2").module()
    for batch, samples in ((1, files[0].shortest_samples), (4, 16_001), (2, 50_000)):
        audio = torch.rand(batch, samples) * 2 - 1
        with torch.no_grad():
            features, embedding = model.features(audio), model(audio)
            for found in (session.run(None, {"audio": audio.numpy()}), graph(audio)):
                torch.testing.assert_close(torch.as_tensor(found[0]), features, rtol=1e-3, atol=1e-4)
                torch.testing.assert_close(torch.as_tensor(found[1]), embedding, rtol=1e-3, atol=1e-4)


@pytest.mark.slow
def test_graphs_say_nothing_of_the_machine_they_were_made_on(run: Path, tmp_path: Path) -> None:
    export(ExportSettings(checkpoint=run, to=tmp_path / "all", format=["onnx", "torch-export"]))
    with zipfile.ZipFile(tmp_path / "all/model.pt2") as archive:
        told = b"".join(archive.read(name) for name in archive.namelist())
    for text in (told, (tmp_path / "all/model.onnx").read_bytes()):
        assert b".py" not in text
        assert str(Path(__file__).parents[2]).encode() not in text
