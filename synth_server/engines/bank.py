"""Bank: several modules of one kind, played as one torchsynth module.

torchsynth is taken from `torchsynth.module`: `torchsynth.synth` does not import with current setuptools and
Lightning. Two of its habits are kept from the rest of the process: it sets `torch.pi`, and its modules fill
their parameters from the global random generator.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from synth_server.patches import Patch
from synth_server.patches.ranges import Range

_PI = torch.pi
import torchsynth.config  # noqa: E402
import torchsynth.module  # noqa: E402

torch.pi = _PI  # type: ignore[misc]

KINDS: dict[str, type[Any]] = {
    "envelope": torchsynth.module.ADSR,
    "lfo": torchsynth.module.LFO,
    "upsample": torchsynth.module.ControlRateUpsample,
    "sine": torchsynth.module.SineVCO,
    "square-saw": torchsynth.module.SquareSawVCO,
    "fm": torchsynth.module.FmVCO,
}


@dataclass(frozen=True, kw_only=True)
class Format:
    """How many sounds are played at a time, how long, at which rates and where."""

    sounds: int
    sample_rate: int
    control_rate: int
    seconds: float
    device: torch.device

    @property
    def samples(self) -> int:
        """T, the samples of one sound."""
        return round(self.seconds * self.sample_rate)

    @property
    def control_samples(self) -> int:
        """The control samples (envelopes, LFOs) of one sound."""
        return round(self.seconds * self.control_rate)


class Bank:
    """The modules `names` of `patch`, all of one kind: K times C sounds are one batch, module by module."""

    def __init__(self, kind: str, patch: Patch, names: Sequence[str], rows: Sequence[Range], form: Format) -> None:
        self._names = [row.name for row in rows]
        self._shape = (len(names), form.sounds)
        columns = [patch.columns[f"{name}.{row.name}"] for row in rows for name in names]
        self._columns = torch.tensor(columns, dtype=torch.int64, device=form.device)
        self.values: dict[str, Tensor] = {}
        self.module = _bare(KINDS[kind], form, batch=len(names) * form.sounds)
        self.module.p = self.values.__getitem__

    def feed(self, human: Tensor) -> None:
        """Give the module its parameters: human units (P, C)."""
        rows = human.index_select(0, self._columns).view(len(self._names), -1)
        self.values.update(zip(self._names, rows, strict=True))

    def apart(self, signal: Tensor) -> Tensor:
        """(K * C, samples) -> (K, C, samples), without torchsynth's slow subclass of Tensor."""
        return plain(signal).view(*self._shape, -1)


def plain(signal: Tensor) -> Tensor:
    """The same tensor without torchsynth's subclass, every operation on which goes through Python."""
    return signal.as_subclass(torch.Tensor)


def upsampler(form: Format) -> Any:
    """torchsynth's step from control rate to audio rate; it has no parameters."""
    return _bare(KINDS["upsample"], form, batch=form.sounds)


def _bare(kind: type[Any], form: Format, *, batch: int) -> Any:
    """A torchsynth module without parameters of its own, so that making it draws no random numbers.

    LFO writes its list of ranges while it is made; the property below swallows that too.
    """
    config = torchsynth.config.SynthConfig(
        batch_size=batch,
        sample_rate=form.sample_rate,
        buffer_size_seconds=form.seconds,
        control_rate=form.control_rate,
        reproducible=False,
        debug=False,
    )
    config.buffer_size = torch.tensor(form.samples)
    config.control_buffer_size = torch.tensor(form.control_samples)
    no_ranges = property(lambda _: [], lambda _, value: None)
    return type(f"Bare{kind.__name__}", (kind,), {"default_parameter_ranges": no_ranges})(config, device=form.device)
