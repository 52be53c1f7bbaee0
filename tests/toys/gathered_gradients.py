"""Gradients of gathered objectives, of one rank among several: `python gathered_gradients.py RANK WORLD FILE`.

The rank takes its share of eight pairs, and writes the gradients of a small encoder that DDP gives it beside those of
one process with all eight, as lines of JSON.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from trainer.objectives.build import FORMULAS
from trainer.objectives.joint_embedding import JointEmbedding, Terms
from trainer.objectives.nt_xent import nt_xent
from trainer.objectives.objective import Views

PAIRS = 8
GATHERED: dict[str, Callable[[Tensor, Tensor], Terms]] = {**FORMULAS, "nt-xent": nt_xent}


class Training(nn.Module):
    """Pictures (N, 2, 6) -> the loss of an objective, by an encoder without batch statistics."""

    def __init__(self, formula: Callable[[Tensor, Tensor], Terms]) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(6, 7), nn.Tanh())
        self.objective = JointEmbedding(formula, nn.Sequential(nn.Linear(7, 5)))
        random = torch.Generator().manual_seed(1)
        for parameter in self.parameters():
            parameter.data = 0.5 * torch.randn(parameter.shape, generator=random)

    def forward(self, pairs: Tensor) -> Tensor:
        a, b = pairs.unbind(1)
        return self.objective(Views(a, b, self.encoder(a), self.encoder(b), pairs))["loss"]


def gradients(training: nn.Module, pairs: Tensor) -> list[float]:
    training(pairs).backward()
    return torch.cat([parameter.grad.flatten() for parameter in training.parameters()]).tolist()


def main(rank: int, world: int, file: str) -> None:
    torch.set_num_threads(1)
    pairs = torch.randn(PAIRS, 2, 6, generator=torch.Generator().manual_seed(0))
    alone = {name: gradients(Training(formula), pairs) for name, formula in GATHERED.items()}
    distributed.init_process_group("gloo", init_method=f"file://{file}", rank=rank, world_size=world)
    share = pairs.chunk(world)[rank]
    for name, formula in GATHERED.items():
        together = gradients(DistributedDataParallel(Training(formula)), share)
        sys.stdout.write(json.dumps({"name": name, "alone": alone[name], "together": together}) + "\n")
    distributed.destroy_process_group()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
