"""The same operations by audiomentations, on CPUs: by a well-kept library, for recordings in loader processes.

It rolls dice of the global generators of Python and NumPy. So they are seeded for every sound, from its number, and
put back afterwards: what happens to a sound does not depend on who asks, or in which process.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import audiomentations
import numpy as np
from numpy.typing import NDArray

from pairstream.errors import ConfigError
from trainer.augmentation import Augmentation
from trainer.draws import Purpose, uniform
from trainer.sources.folder import files_of


class Audiomentations:
    """Changes sounds as the settings say.

    Raises:
        ConfigError: the settings ask for what it cannot do.
    """

    def __init__(self, settings: Augmentation, *, seed: int, rate: int) -> None:
        if settings.reverb_p and not settings.impulse_responses:
            raise ConfigError(
                "augmentation.reverb_p: audiomentations has no artificial rooms; name a folder of impulse responses "
                "with --augmentation.impulse_responses, or use --augmentation.reverb_p 0"
            )
        self._compose = audiomentations.Compose(_transforms(settings))
        self._seed = seed
        self._rate = rate

    def __call__(self, audio: NDArray[np.float32], first: int) -> NDArray[np.float32]:
        """The sounds (N, 2, T) of pairs first, first + 1, … -> the same, changed, in float32."""
        sounds = audio.reshape(-1, audio.shape[-1]).astype(np.float32)
        seeds = (uniform(self._seed, Purpose.LIBRARY, 2 * first, len(sounds), 1)[:, 0] * 2.0**32).astype(np.uint32)
        for sound, seed in zip(sounds, seeds, strict=True):
            with _seeded(int(seed)):
                sound[:] = self._compose(sound, sample_rate=self._rate)
        return sounds.reshape(audio.shape)


def _transforms(said: Augmentation) -> list[Any]:
    """In the order of the paper's code."""
    made: list[tuple[float, Callable[[float], Any]]] = [
        (said.high_pass_p, lambda p: audiomentations.HighPassFilter(*said.high_pass_hz, p=p)),
        (said.low_pass_p, lambda p: audiomentations.LowPassFilter(*said.low_pass_hz, p=p)),
        (said.pitch_p, lambda p: audiomentations.PitchShift(*said.pitch_semitones, p=p)),
        (said.shift_p, lambda p: audiomentations.Shift(*said.shift_fraction, rollover=True, fade_duration=0.0, p=p)),
        (said.reverb_p, lambda p: audiomentations.ApplyImpulseResponse(_responses(said.impulse_responses), p=p)),
        (said.noise_p, lambda p: audiomentations.AddGaussianSNR(*said.noise_snr_db, p=p)),
        (said.gain_p, lambda p: audiomentations.Gain(*said.gain_db, p=p)),
        (said.polarity_p, lambda p: audiomentations.PolarityInversion(p=p)),
    ]
    transforms: list[Any] = [make(p) for p, make in made if p]
    return transforms


def _responses(folder: str) -> list[str]:
    """The files whose digest the run keeps, in their order; a folder it would read in the file system's."""
    return [str(file) for file in files_of(Path(folder))]


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    states = random.getstate(), np.random.get_state()
    random.seed(seed)
    np.random.seed(seed)
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
