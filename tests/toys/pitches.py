"""A folder of labelled recordings that anybody can tell apart: low and high tones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile


def write_pitches(folder: Path, clips: int = 12, rate: int = 16_000) -> Path:
    """Clips, half of them low and half high, in three folds, from 0.2 s on and each 0.2 s longer."""
    folder.mkdir()
    lines = ["file,label,fold"]
    random = np.random.default_rng(0)
    for number in range(clips):
        high = number % 2
        samples = rate // 5 * (number + 1)
        wave = np.sin(2 * np.pi * (300 + 3_000 * high + 20 * number) * np.arange(samples) / rate)
        soundfile.write(folder / f"{number}.flac", 0.3 * wave + 0.01 * random.standard_normal(samples), rate)
        lines.append(f"{number}.flac,{'high' if high else 'low'},{number % 3}")
    (folder / "manifest.csv").write_text("\n".join(lines) + "\n")
    return folder
