"""One recording, from a file to mono samples at a model's sample rate, and from there to one-second frames."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from pairstream.errors import DataError
from trainer.picture import Picture

Samples = NDArray[np.float32]

#: Hertz of what encoders are mostly trained on.
SAMPLE_RATE = Picture().sample_rate


def read_clip(path: Path, sample_rate: int = SAMPLE_RATE) -> Samples:
    """Mono samples (T,) at `sample_rate`, T >= 1, of any file that libsndfile reads; channels are averaged.

    Raises:
        DataError: no such file, not readable, no samples, or samples that are no numbers.
    """
    try:
        audio, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, OSError, TypeError) as error:  # TypeError: a .raw file says nothing of itself
        reason = "there is no such file" if not path.exists() else f"it cannot be read as audio ({error})"
        raise DataError(f"{path}: {reason}; mend the file or take it out of the manifest") from error
    mono: Samples = audio.mean(axis=1, dtype=np.float32)
    if not len(mono):
        raise DataError(f"{path}: it has no samples; take it out of the manifest")
    if not np.isfinite(mono).all():
        raise DataError(f"{path}: it has samples that are not finite numbers; mend it or take it out of the manifest")
    if rate == sample_rate:
        return mono
    resampled = np.asarray(soxr.resample(mono, rate, sample_rate), dtype=np.float32)
    return resampled if len(resampled) else mono[:1]


def frames_of(clip: Samples, samples: int = SAMPLE_RATE) -> Samples:
    """A clip (T,) -> frames (F, samples) of one second: padded with zeros if shorter, else cut every second.

    What remains at the end is covered by a last frame that ends with the clip and overlaps its neighbour.
    """
    if len(clip) <= samples:
        return np.pad(clip, (0, samples - len(clip)))[None]
    starts = list(range(0, len(clip) - samples + 1, samples))
    if len(clip) % samples:
        starts.append(len(clip) - samples)
    return np.stack([clip[start : start + samples] for start in starts])
