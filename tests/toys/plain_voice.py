"""torchsynth's own Voice, as an oracle: imported with stand-ins for the two modules it misses on current systems."""

from __future__ import annotations

import importlib
import sys
import types
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray


class _LightningModule(torch.nn.Module):
    """What Voice uses of Lightning's class: where it is."""

    device = torch.device("cpu")


@contextmanager
def _stand_ins() -> Iterator[None]:
    names = ("pkg_resources", "pytorch_lightning.core.lightning")
    before = {name: sys.modules.get(name) for name in names}
    pkg_resources, lightning = (types.ModuleType(name) for name in names)
    # torchsynth sets every range a second time, from a JSON file; an empty list keeps those of the code.
    pkg_resources.resource_string = lambda *_: b"[]"  # type: ignore[attr-defined]
    lightning.LightningModule = _LightningModule  # type: ignore[attr-defined]
    sys.modules.update(zip(names, (pkg_resources, lightning), strict=True))
    pi = torch.pi
    try:
        yield
    finally:
        torch.pi = pi
        for name, module in before.items():
            if module is None:
                sys.modules.pop(name, None)
            else:
                sys.modules[name] = module


def plain_voice(sounds: int, *, sample_rate: int = 16_000, seconds: float = 1.0, control_rate: int = 480) -> Any:
    """torchsynth.synth.Voice for that many sounds at a time."""
    with _stand_ins():
        synth = importlib.import_module("torchsynth.synth")
        from torchsynth.config import SynthConfig

        config = SynthConfig(
            batch_size=sounds,
            sample_rate=sample_rate,
            buffer_size_seconds=seconds,
            control_rate=control_rate,
            reproducible=False,
        )
        return synth.Voice(config)


@torch.no_grad()
def play(voice: Any, theta: NDArray[np.float32], noise: NDArray[np.float32]) -> NDArray[np.float32]:
    """theta (B, 78) and noise (B, T) -> audio (B, T), by Voice itself."""
    for column, parameter in zip(torch.from_numpy(theta).unbind(1), voice.parameters(), strict=True):
        parameter.data = column.clone()
    voice.noise.noise = torch.from_numpy(noise)
    audio, parameters, _ = voice()
    assert torch.equal(parameters, torch.from_numpy(theta))
    return np.asarray(audio.as_subclass(torch.Tensor).numpy())


@torch.no_grad()
def order(voice: Any) -> list[tuple[str, str]]:
    """Module and name of the columns of theta."""
    return [(label.split(".")[0], label.split(".")[-1]) for label, _ in voice.named_parameters()]
