"""The engines by name: `load_engine`. Importing this loads no engine and no torch."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping
from typing import cast

from pairstream.errors import RefusedError
from pairstream.oscillators import Numbers
from synth_server.engines.engine import Engine, EngineFactory
from synth_server.patches import AS_IT_IS, load_patch

#: Where each engine is; loaded when first asked for.
ENGINES: Mapping[str, str] = {
    "torchsynth": "synth_server.engines.torchsynth:TorchsynthEngine",
    "fused": "synth_server.engines.fused.engine:FusedEngine",
}

#: What an engine needs that an installation may be without.
_NEEDS: Mapping[str, tuple[str, ...]] = {"torchsynth": ("torch", "torchsynth")}

__all__ = ["ENGINES", "Engine", "installed_engines", "load_engine"]


def installed_engines() -> tuple[str, ...]:
    """Those of `ENGINES` whose packages are there; nothing is loaded to see."""
    return tuple(name for name in ENGINES if all(importlib.util.find_spec(package) for package in _NEEDS.get(name, ())))


def load_engine(
    name: str,
    *,
    synth: str = "voice",
    oscillators: Numbers = AS_IT_IS,
    sample_rate: int = 16_000,
    seconds: float = 1.0,
    control_rate: int = 480,
    device: str = "cpu",
    threads: int | None = None,
) -> Engine:
    """An engine that plays the patch `synth` with such `oscillators`.

    Args:
        name: which engine, one of `ENGINES`.
        synth: which patch, one of `synth_server.patches.PATCHES`.
        oscillators: how many of each kind, where they are not the patch's own numbers.
        sample_rate: samples of audio per second, in hertz.
        seconds: length of a sound.
        control_rate: samples of envelopes and LFOs per second, in hertz.
        device: cpu, cuda or cuda:N.
        threads: threads that compute on a CPU; None takes as many as the process may use cores.

    Raises:
        RefusedError: there is no such engine, patch or oscillators; the message names those that exist.
        ConfigError: a setting is out of range, or the device is not there.
    """
    if name not in (here := installed_engines()):
        raise RefusedError(f"engine={name!r} is not an engine of this worker; it has {', '.join(here)}")
    module, _, attribute = ENGINES[name].partition(":")
    factory = cast("EngineFactory", getattr(importlib.import_module(module), attribute))
    return factory(
        load_patch(synth, oscillators),
        sample_rate=sample_rate,
        seconds=seconds,
        control_rate=control_rate,
        device=device,
        threads=threads,
    )
