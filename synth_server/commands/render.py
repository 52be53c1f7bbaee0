"""`synth-server render`: pairs as WAV files, and beside each the JSON that makes it again."""

from __future__ import annotations

from pathlib import Path

from pairstream import allocator
from pairstream.block import PairBlock
from pairstream.errors import ConfigError
from pairstream.files import write_json, written_whole
from synth_server import pair_files
from synth_server.config import RenderSettings
from synth_server.limits import LOCAL
from synth_server.patches import Parameter
from synth_server.renderer import Renderer


def run(settings: RenderSettings) -> int:
    """Write `pairs` pairs of one block, from `first` on, and print what was written."""
    spec, first = settings.spec, settings.first
    if not 0 <= first < spec.block_pairs:
        raise ConfigError(f"first={first}; a block of this stream has the pairs 0 to {spec.block_pairs - 1}")
    if not 1 <= settings.pairs <= spec.block_pairs - first:
        raise ConfigError(f"pairs={settings.pairs}; from pair {first} on a block has 1 to {spec.block_pairs - first}")
    if settings.index < 0:
        raise ConfigError(f"index={settings.index}; the first block is 0")
    LOCAL.check(settings.spec)
    allocator.tune()
    renderer = Renderer(spec, device=settings.device)
    try:
        block = renderer.render(settings.index)
        for pair in range(first, first + settings.pairs):
            print(_write(settings, block, pair, renderer.parameters))
    finally:
        renderer.close()
    return 0


def _write(settings: RenderSettings, block: PairBlock, pair: int, parameters: tuple[Parameter, ...]) -> Path:
    spec, index = settings.spec, block.index
    for view, samples in zip("ab", block.audio[pair], strict=True):
        with written_whole(settings.out / f"{pair_files.stem(spec, index, pair)}-{view}.wav") as file:
            file.write(pair_files.wav(samples, spec.sample_rate))
    path = settings.out / f"{pair_files.stem(spec, index, pair)}.json"
    about = pair_files.about(spec, index, pair, sha256=block.sha256(), theta=block.theta[pair], parameters=parameters)
    write_json(path, about)
    return path
