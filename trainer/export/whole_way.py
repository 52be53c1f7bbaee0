"""The whole way from audio to vectors as one graph of torch, which model.pt2 keeps and model.onnx is made from.

Both dimensions of the audio stay free. What a graph remembers of the machine it was made on is taken out.
"""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram
from torch.fx import GraphModule
from torch.nn.functional import pad

from trainer.export.check import Hearing
from trainer.model import AudioModel
from trainer.picture import FRAMES_STEP

#: What torch.export notes of a node beside what it computes: code and paths of this machine.
NOTES = ("stack_trace", "nn_module_stack", "source_fn_stack", "torch_fn", "from_node")


class WholeWay(nn.Module):
    """Audio (B, T) -> pooled layer (B, F) and final layer (B, D), through the encoder once."""

    def __init__(self, model: AudioModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, audio: Tensor) -> tuple[Tensor, Tensor]:
        """One sample of silence behind the audio is never in the picture, but cutting it off is always a cut.

        Without it a graph has a second case, that of audio which is exactly as long as its picture.
        """
        features = self.model.features(pad(audio, (0, 1)))
        return features, self.model.encoder.embed(features)


@torch.no_grad()
def traced(model: AudioModel) -> ExportedProgram:
    """The graph, for any number of sounds, and any length from `shortest` on."""
    plain = deepcopy(model).to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]  # as it is kept
    example = torch.zeros(2, 2 * model.sample_rate)
    program = torch.export.export(
        WholeWay(plain).eval(), (example,), dynamic_shapes={"audio": {0: Dim.DYNAMIC, 1: Dim.DYNAMIC}}, strict=False
    )
    for part in program.graph_module.modules():
        for node in part.graph.nodes if isinstance(part, GraphModule) else ():
            for note in NOTES:
                node.meta.pop(note, None)
    return program


@torch.no_grad()
def shortest(model: AudioModel, program: ExportedProgram) -> int:
    """Samples from which on the graph takes every length, found by trying.

    A picture of which some layer sees only one frame is a case of its own, which a graph for all others refuses.
    """
    picture, runnable = model.frontend.picture, program.module()
    columns = picture.frames(2 * model.sample_rate) // FRAMES_STEP
    for fewer in range(columns - 1, 0, -1):
        samples = (fewer * FRAMES_STEP - 1) * picture.hop + picture.window
        try:
            runnable(torch.zeros(1, samples))
        except (AssertionError, RuntimeError):
            break
        columns = fewer
    return (columns * FRAMES_STEP - 1) * picture.hop + picture.window


def write_program(program: ExportedProgram, file: Path) -> None:
    """The graph in torch's own format."""
    torch.export.save(program, file)


def read_program(file: Path) -> Hearing:
    """What is in `file`, in torch's arithmetic."""
    module = torch.export.load(file).module()

    def hear(audio: Tensor) -> tuple[Tensor, Tensor]:
        features, embedding = module(audio)
        return features, embedding

    return hear
