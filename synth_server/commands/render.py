"""`synth-server render`: pairs as WAV files, and beside each the JSON that makes it again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from pairstream import allocator
from pairstream.block import PairBlock
from pairstream.errors import ConfigError
from pairstream.files import write_json, written_whole
from synth_server.config import RenderSettings
from synth_server.limits import LOCAL
from synth_server.patches import Parameter
from synth_server.patches.scale import Scale
from synth_server.renderer import Renderer


def run(settings: RenderSettings) -> int:
    """Write `pairs` pairs of one block and print what was written."""
    spec = settings.spec
    if not 1 <= settings.pairs <= spec.block_pairs:
        raise ConfigError(f"pairs={settings.pairs}; a block of this stream has 1 to {spec.block_pairs}")
    if settings.index < 0:
        raise ConfigError(f"index={settings.index}; the first block is 0")
    LOCAL.check(settings.spec)
    allocator.tune()
    renderer = Renderer(spec, device=settings.device)
    try:
        block = renderer.render(settings.index)
        for pair in range(settings.pairs):
            path = settings.out / f"{spec.synth}-{spec.digest[:12]}-{block.index}-{pair}.json"
            print(_write(path, settings, block, pair, renderer.parameters))
    finally:
        renderer.close()
    return 0


def _write(
    path: Path, settings: RenderSettings, block: PairBlock, pair: int, parameters: tuple[Parameter, ...]
) -> Path:
    waves = {}
    for view, samples in zip("ab", block.audio[pair], strict=True):
        wave = path.with_name(f"{path.stem}-{view}.wav")
        with written_whole(wave) as file:
            soundfile.write(file, samples.astype(np.float32), settings.spec.sample_rate, "FLOAT", format="WAV")
        waves[view] = wave.name
    about = {
        "spec": settings.spec.as_dict(),
        "digest": block.digest,
        "index": block.index,
        "pair": pair,
        "sha256": block.sha256(),
        "wav": waves,
        "parameters": _human(block.theta[pair], parameters),
    }
    write_json(path, about)
    return path


def _human(theta: NDArray[np.float32], parameters: tuple[Parameter, ...]) -> list[dict[str, Any]]:
    """Both views' values of every layer's parameters, as stored (0 to 1) and in their own unit; theta (2, L * P)."""
    layered = theta.reshape(2, -1, len(parameters))
    human = Scale(parameters).to_human(layered)
    return [
        {
            "layer": layer,
            "module": parameter.module,
            "name": parameter.name,
            "unit": parameter.unit,
            "theta": layered[:, layer, column].tolist(),
            "value": human[:, layer, column].tolist(),
        }
        for layer in range(layered.shape[1])
        for column, parameter in enumerate(parameters)
    ]
