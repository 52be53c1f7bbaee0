"""A folder of recordings that costs nothing: tones of some seconds, and a manifest."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile


def write_clip(path: Path, seconds: float, number: int = 0, rate: int = 16_000, channels: int = 1) -> Path:
    """A rising tone of its own, so that any two places of any two clips differ."""
    path.parent.mkdir(parents=True, exist_ok=True)
    time = np.arange(round(seconds * rate)) / rate
    wave = 0.5 * np.sin(2 * np.pi * (200.0 + 50.0 * number + 40.0 * time) * time)
    soundfile.write(path, np.stack([wave] * channels, axis=1), rate, subtype="FLOAT")
    return path


def write_folder(folder: Path, clips: int = 5, seconds: float = 1.5) -> Path:
    """FOLDER/manifest.csv with columns file, label, fold, split, and clips; the last is of the test part."""
    rows = ["file,label,fold,split"]
    for number in range(clips):
        write_clip(folder / f"audio/{number}.wav", seconds, number)
        part = "test" if number == clips - 1 else "train"
        rows.append(f"audio/{number}.wav,{'ab'[number % 2]},{number % 3 + 1},{part}")
    (folder / "manifest.csv").write_text("\n".join(rows) + "\n")
    return folder
