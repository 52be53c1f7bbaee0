"""model.onnx: the same graph in ONNX, for other programs than torch. Its input is audio: the log-mel is in it."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path

import torch
from torch import Tensor
from torch.export import ExportedProgram

from pairstream.errors import ConfigError
from trainer.export.check import Hearing

OPSET = 20
INPUT, OUTPUTS = "audio", ["features", "embedding"]


def check_installed() -> None:
    """Raises ConfigError if a package that this needs is missing."""
    try:
        import onnxruntime  # noqa: F401, PLC0415
        import onnxscript  # noqa: F401, PLC0415
    except ImportError as error:
        raise ConfigError(f"--format onnx needs the package {error.name}; pip install 'pairstream[onnx]'") from error


def write_onnx(program: ExportedProgram, file: Path) -> None:
    """The graph with its weights in one file."""
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # what it misses of torchvision is not the user's
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        written = torch.onnx.export(
            program, dynamo=True, input_names=[INPUT], output_names=OUTPUTS, opset_version=OPSET, verbose=False
        )
    if written is None:
        raise RuntimeError("torch.onnx.export gave no program")
    for node in written.model.graph.all_nodes():
        node.metadata_props.clear()
    written.save(file, external_data=False)


def read_onnx(file: Path) -> Hearing:
    """What is in `file`, in onnxruntime's arithmetic on the CPU."""
    import onnxruntime  # noqa: PLC0415  an extra, which only this needs

    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])

    def hear(audio: Tensor) -> tuple[Tensor, Tensor]:
        features, embedding = session.run(OUTPUTS, {INPUT: audio.numpy()})
        return torch.from_numpy(features), torch.from_numpy(embedding)

    return hear
