"""export: a trained model into a folder of its own, whole or not at all, and only if every file in it is the model."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from pairstream.errors import ConfigError
from pairstream.files import write_json, write_text
from trainer import exported
from trainer.checkpoints import load_model
from trainer.config import ExportSettings
from trainer.export import onnx_graph, whole_way
from trainer.export.card import model_card
from trainer.export.check import OTHER_ARITHMETIC, Agreement, agreement
from trainer.export.origin import origin_of
from trainer.export.weights import TOLERANCE, read_weights, write_weights
from trainer.memory import enough_memory
from trainer.model import AudioModel
from trainer.plan import Plan
from trainer.provenance import versions


@dataclass(frozen=True, kw_only=True)
class Written:
    """A file of the folder, and how it was found to be the model."""

    name: str
    sha256: str
    bytes: int
    shortest_samples: int
    """Audio of fewer samples is no input."""
    agreement: Agreement


def export(settings: ExportSettings) -> list[Written]:
    """Write the folder that the settings ask for, and say how each file was checked.

    Raises:
        ConfigError: the folder exists, or a package is missing.
        CheckpointError: no model in the checkpoint, or what was written is not it; then there is no folder.
        MemoryLimitError: there is too little memory.
    """
    _refuse(settings)
    with enough_memory("exporting", "export on a machine with more memory, or fewer formats at a time"):
        model, plan = load_model(settings.checkpoint)
        with _appearing(settings.to) as folder:
            files = list(_files(model, plan, settings, folder))
            config = _config(model, plan, settings, files)
            write_json(folder / exported.CONFIG, config)
            write_text(folder / "README.md", model_card(settings.to.name, config))
            exported.load_exported(folder) if "safetensors" in settings.format else exported.read_config(folder)
    return files


def _refuse(settings: ExportSettings) -> None:
    if settings.to.exists() and not (settings.to.is_dir() and not any(settings.to.iterdir())):
        raise ConfigError(f"{settings.to} exists already and is not overwritten; name another folder with --to")
    if "onnx" in settings.format:
        onnx_graph.check_installed()


@contextmanager
def _appearing(folder: Path) -> Iterator[Path]:
    """A folder to write into, which becomes `folder` if nothing fails, and else is gone."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        part = Path(mkdtemp(dir=folder.parent, prefix=f".{folder.name}.", suffix=".part"))
    except OSError as error:
        raise ConfigError(f"cannot write {folder}: {error.strerror}; choose another folder") from error
    try:
        yield part
        part.chmod(0o755)
        for file in part.iterdir():
            file.chmod(0o644)
        part.replace(folder)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise


def _files(model: AudioModel, plan: Plan, settings: ExportSettings, folder: Path) -> Iterator[Written]:
    """Write each format once, read it back, and compare."""
    if "safetensors" in settings.format:
        file, shortest = folder / exported.WEIGHTS, model.frontend.picture.shortest
        write_weights(model, file, settings.dtype)
        found = agreement(file.name, model, read_weights(file, plan), TOLERANCE[settings.dtype], shortest)
        yield _written(file, shortest, found)
    if {"onnx", "torch-export"}.isdisjoint(settings.format):
        return
    program = whole_way.traced(model)
    shortest = whole_way.shortest(model, program)
    if "onnx" in settings.format:
        file = folder / exported.ONNX
        onnx_graph.write_onnx(program, file)
        found = agreement(file.name, model, onnx_graph.read_onnx(file), OTHER_ARITHMETIC, shortest)
        yield _written(file, shortest, found)
    if "torch-export" in settings.format:
        file = folder / exported.TORCH_EXPORT
        whole_way.write_program(program, file)
        found = agreement(file.name, model, whole_way.read_program(file), OTHER_ARITHMETIC, shortest)
        yield _written(file, shortest, found)


def _written(file: Path, shortest: int, found: Agreement) -> Written:
    size = file.stat().st_size
    return Written(name=file.name, sha256=exported.sha256(file), bytes=size, shortest_samples=shortest, agreement=found)


def _config(model: AudioModel, plan: Plan, settings: ExportSettings, files: list[Written]) -> dict[str, Any]:
    return {
        "kind": exported.KIND,
        "version": exported.VERSION,
        "sample_rate": model.sample_rate,
        "feature_size": model.encoder.feature_size,
        "embedding_size": model.encoder.embedding_size,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "dtype": settings.dtype,
        "load": "from trainer.checkpoints import load_model; model, plan = load_model(Path(FOLDER))",
        "trained": origin_of(settings.checkpoint),
        "digest": plan.spec.digest,
        "plan": plan.as_dict(),
        "versions": versions(),
        "files": {item.name: _about(item) for item in files},
    }


def _about(item: Written) -> dict[str, Any]:
    return {
        "sha256": item.sha256,
        "bytes": item.bytes,
        "shortest_samples": item.shortest_samples,
        "checked": asdict(item.agreement),
    }
