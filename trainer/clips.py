"""One recording, from a file to mono samples at 16 kHz, and from there to one-second frames."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from pairstream.errors import DataError
from trainer.picture import Picture

Samples = NDArray[np.float32]

#: Hertz of what the encoder was trained on.
SAMPLE_RATE = Picture().sample_rate

#: Samples of a frame, one second: what the encoder was trained on.
FRAME_SAMPLES = SAMPLE_RATE


def read_clip(path: Path) -> Samples:
    """Mono samples (T,) at 16 kHz, T >= 1, of any file that libsndfile reads.

    Raises:
        DataError: no such file, not readable, no samples, or samples that are no numbers.
    """
    try:
        audio, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, OSError) as error:
        reason = "there is no such file" if not path.exists() else f"it cannot be read as audio ({error})"
        raise DataError(f"{path}: {reason}; mend the file or take it out of the manifest") from error
    mono: Samples = audio.mean(axis=1, dtype=np.float32)
    if not len(mono):
        raise DataError(f"{path}: it has no samples; take it out of the manifest")
    if not np.isfinite(mono).all():
        raise DataError(f"{path}: it has samples that are not finite numbers; mend it or take it out of the manifest")
    if rate == SAMPLE_RATE:
        return mono
    return np.asarray(soxr.resample(mono, rate, SAMPLE_RATE), dtype=np.float32)


def frames_of(clip: Samples) -> Samples:
    """A clip (T,) -> frames (F, 16000): padded with zeros if shorter, else cut every second.

    What remains at the end is covered by a last frame that ends with the clip and overlaps its neighbour.
    """
    if len(clip) <= FRAME_SAMPLES:
        return np.pad(clip, (0, FRAME_SAMPLES - len(clip)))[None]
    starts = list(range(0, len(clip) - FRAME_SAMPLES + 1, FRAME_SAMPLES))
    if len(clip) % FRAME_SAMPLES:
        starts.append(len(clip) - FRAME_SAMPLES)
    return np.stack([clip[start : start + FRAME_SAMPLES] for start in starts])
