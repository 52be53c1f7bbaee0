"""Fingerprint: what the bytes of the torchsynth engine depend on beside theta, keys and format.

Names alone do not tell: the rounding of a cosine depends on torch's build, on the vector instructions it found, on
the maker of the processor (MKL) and on the C library. So the fingerprint ends with the hash of some sounds.
"""

from __future__ import annotations

import dataclasses
import hashlib
import platform
from importlib.metadata import version

import numpy as np
import torch

from synth_server import draws, noise
from synth_server.engines.bank import Format
from synth_server.engines.circuit import Circuit
from synth_server.patches import Patch


@torch.inference_mode()
def fingerprint(patch: Patch, form: Format) -> str:
    """Versions, device and the hash of one chunk of short sounds; to be called in a lane, as all rendering is."""
    short = dataclasses.replace(form, sample_rate=16_000, control_rate=480, seconds=0.25)
    raw = np.random.Philox(key=0).random_raw(short.sounds * len(patch.parameters))
    theta = draws.uniform(np.asarray(raw, np.uint64)).astype(np.float32).reshape(short.sounds, -1)
    hiss = noise.white(np.arange(short.sounds, dtype=np.uint64), short.samples, short.device)
    audio = Circuit(patch, short).play(torch.from_numpy(theta).to(short.device), hiss).cpu().numpy()
    heard = hashlib.sha256(audio.tobytes()).hexdigest()[:16]
    return f"torchsynth {version('torchsynth')}, torch {torch.__version__}, {_capability(form.device)}, sounds {heard}"


def _capability(device: torch.device) -> str:
    """The device in words, with the capability that torch compiles or dispatches for."""
    if device.type == "cuda":
        major, minor = torch.cuda.get_device_capability(device)
        return f"{torch.cuda.get_device_name(device)} {major}.{minor}"
    return f"{platform.machine()} {torch.backends.cpu.get_cpu_capability()}"
