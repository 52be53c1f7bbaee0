"""Which of these sounds are like that one? A trained encoder in twenty lines.

python -m examples.nearest MODEL QUERY.wav SOUND.wav [SOUND.wav ...]

MODEL is a run folder, a checkpoint or an exported folder. The sounds may have any length and sample rate.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from torch.nn.functional import normalize

from trainer import hear
from trainer.clips import read_clip


def main(model_path: str, query: str, *sounds: str) -> None:
    """Print the sounds, the nearest first, with the cosine of the angle to the query's embedding."""
    model = hear.load_model(model_path)
    clips = [torch.from_numpy(read_clip(Path(file), model.sample_rate)) for file in (query, *sounds)]
    embeddings = torch.cat([hear.get_scene_embeddings(clip[None], model) for clip in clips])  # (1 + sounds, F)
    near = normalize(embeddings[1:]) @ normalize(embeddings[:1]).T  # (sounds, 1)
    for cosine, file in sorted(zip(near.flatten().tolist(), sounds, strict=True), reverse=True):
        print(f"{cosine:.3f}  {file}")


if __name__ == "__main__":
    main(*sys.argv[1:]) if len(sys.argv) > 3 else sys.exit(__doc__)
