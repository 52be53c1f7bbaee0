"""hit@1: does the model find the other view of a sound among many?

For each of n held-out pairs, the view b nearest to view a, by the cosine of the model's final
outputs, is its own or not. A model that knows nothing is right once in n.
The model is in eval mode, that is with running batch statistics, as a user of it would have it.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import normalize

from trainer.model import AudioModel

BATCH = 128


def hit_at_1(model: AudioModel, audio: NDArray[np.float32], device: torch.device | str = "cpu") -> float:
    """Share of the n pairs (n, 2, T) at its sample rate whose b is the nearest of all b to their a; chance is 1 / n."""
    a, b = (embed_final(model, audio[:, view], device) for view in (0, 1))
    return hits(a, b)


def hits(a: Tensor, b: Tensor) -> float:
    """Share of rows of a (n, D) whose nearest row of b (n, D), by cosine, has the same number."""
    similarity = normalize(a, dim=1) @ normalize(b, dim=1).T
    own = torch.arange(len(a), device=similarity.device)
    return float((similarity.argmax(dim=1) == own).float().mean())


@torch.no_grad()
def embed_final(model: AudioModel, audio: NDArray[np.float32], device: torch.device | str = "cpu") -> Tensor:
    """Sounds (n, T) -> final outputs (n, D) on the CPU. Puts the model in eval mode."""
    model = model.to(device).eval()
    chunks = [torch.from_numpy(np.ascontiguousarray(audio[at : at + BATCH])) for at in range(0, len(audio), BATCH)]
    return torch.cat([model(chunk.to(device)).float().cpu() for chunk in chunks])
