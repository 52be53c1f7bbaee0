"""Augmentation: what is done to a sound at random, and in which ranges; and the named sets, which are nothing but data.

What each of them does to a waveform is in `trainer/augment/`. Torch is not needed here, so `--help` can read it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Literal

from pairstream.errors import ConfigError

AugmentationName = Literal["none", "paper", "masking", "specaugment", "strong"]
#: Two ends of a range.
Range = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """What happens to each sound by itself, each with its probability; nothing unless said.

    Raises:
        ConfigError: a field is out of range; the message quotes the value and the remedy.
    """

    pitch_p: float = 0.0
    """Probability of a shift in pitch."""
    pitch_semitones: Range = (-2.0, 2.0)
    """Range of that shift."""
    high_pass_p: float = 0.0
    """Probability of a high-pass filter."""
    high_pass_hz: Range = (20.0, 800.0)
    """Range of its cutoff."""
    low_pass_p: float = 0.0
    """Probability of a low-pass filter."""
    low_pass_hz: Range = (1_200.0, 8_000.0)
    """Range of its cutoff."""
    reverb_p: float = 0.0
    """Probability of an impulse response."""
    reverb_seconds: Range = (0.1, 0.6)
    """Range of the time in which an artificial one decays by 60 dB."""
    impulse_responses: str = ""
    """Folder of audio files to take impulse responses from, instead of artificial ones."""
    shift_p: float = 0.0
    """Probability of a shift in time; what leaves at one end comes in at the other."""
    shift_fraction: Range = (-0.25, 0.25)
    """Range of that shift, as a fraction of the sound."""
    noise_p: float = 0.0
    """Probability of white noise."""
    noise_snr_db: Range = (3.0, 30.0)
    """Range of the level of the sound above that noise."""
    gain_p: float = 0.0
    """Probability of a change in level."""
    gain_db: Range = (-12.0, 6.0)
    """Range of that change."""
    polarity_p: float = 0.0
    """Probability of a reversed sign."""
    masks_p: float = 0.0
    """Probability of each of the masks over the log-mel picture."""
    time_masks: int = 0
    """Masks over frames of the picture."""
    time_mask_frames: int = 40
    """Frames that such a mask covers, at most."""
    band_masks: int = 0
    """Masks over bands of the picture."""
    band_mask_bands: int = 40
    """Bands that such a mask covers, at most."""

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if item.name.endswith("_p") and not 0.0 <= value <= 1.0:
                raise ConfigError(f"augmentation.{item.name}={value!r} is no probability; use 0 to 1")
            if isinstance(item.default, tuple):
                object.__setattr__(self, item.name, _range(item.name, value))
            if isinstance(item.default, int) and value < 0:
                raise ConfigError(f"augmentation.{item.name}={value!r} is negative; use 0 or more")
        if self.masks_p > 0.0 and not self.of_pictures:
            raise ConfigError(
                f"augmentation.masks_p={self.masks_p} of no masks; say how many, with --augmentation.time_masks or "
                "--augmentation.band_masks"
            )
        if self.high_pass_hz[0] <= 0 or self.low_pass_hz[0] <= 0 or self.reverb_seconds[0] <= 0:
            raise ConfigError("augmentation: cutoffs and times of decay must be above 0")

    @property
    def of_sounds(self) -> bool:
        """Whether anything is done to waveforms."""
        names = [item.name for item in fields(self) if item.name.endswith("_p") and item.name != "masks_p"]
        return any(getattr(self, name) > 0.0 for name in names)

    @property
    def of_pictures(self) -> bool:
        """Whether anything is done to log-mel pictures."""
        return self.masks_p > 0.0 and self.time_masks + self.band_masks > 0


def _range(name: str, value: object) -> Range:
    if not isinstance(value, list | tuple) or len(value) != 2 or not all(map(math.isfinite, value)):
        raise ConfigError(f"augmentation.{name}={value!r} is no range; write its two ends, such as [20, 800]")
    if value[0] > value[1]:
        raise ConfigError(f"augmentation.{name}={value!r} ends below where it begins; write the lower end first")
    return float(value[0]), float(value[1])


#: The sets of the paper's code are `paper` (its audiomentations.yaml), `masking` and `specaugment`.
SETS: Mapping[AugmentationName, Augmentation] = MappingProxyType(
    {
        "none": Augmentation(),
        "paper": Augmentation(pitch_p=0.5, high_pass_p=0.5, low_pass_p=0.5, reverb_p=0.5, shift_p=0.5),
        "masking": Augmentation(masks_p=0.2, time_masks=1, band_masks=1),
        "specaugment": Augmentation(masks_p=0.4, time_masks=4, band_masks=2, band_mask_bands=20),
        "strong": Augmentation(
            pitch_p=0.5, high_pass_p=0.5, low_pass_p=0.5, reverb_p=0.5, shift_p=0.5, noise_p=0.5, gain_p=0.5,
            polarity_p=0.5, masks_p=0.4, time_masks=2, band_masks=2, band_mask_bands=20,
        ),
    }
)  # fmt: skip
