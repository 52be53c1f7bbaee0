"""Chain: every sound of a batch changed in its own way, on the device that the batch is on.

What happens to sound s is a pure function of (seed, s), and s counts the sounds of the training: two for each pair.
The dice fall on the CPU, from a counter, so nothing waits for the device, and a resumed run augments as ever.
The order is pitch, filters and room, place in time, noise, level, sign. The sounds come back in float32.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trainer.augment import levels, rooms
from trainer.augment.filters import filtered, high_pass, impulse, low_pass
from trainer.augment.hash_noise import white
from trainer.augment.pitch import pitch_shifted
from trainer.augmentation import Augmentation, Range
from trainer.draws import Purpose, uniform
from trainer.plan import Plan

#: Columns of the dice: for each operation whether it happens and how; PLACE is also which response, KEY* what noise.
PITCH, HIGH, LOW, ROOM, PLACE, NOISE, GAIN, SIGN = range(0, 16, 2)
ROOM_KEY, NOISE_KEY = 16, 17
WIDTH = 20


class Chain:
    """Changes sounds as the settings say.

    Args:
        settings: which operations, how often, in which ranges.
        seed: which chances of all.
        rate: of the sounds, in hertz.
        responses: impulse responses (K, L) to take rooms from; artificial ones if there are none.
    """

    def __init__(self, settings: Augmentation, *, seed: int, rate: int, responses: Tensor | None = None) -> None:
        self._settings = settings
        self._seed = seed
        self._rate = rate
        self._responses = responses

    def __call__(self, audio: Tensor, first: int) -> Tensor:
        """The sounds (N, 2, T) of pairs first, first + 1, … -> the same, changed."""
        sounds = audio.flatten(0, 1).float()
        dice = Dice(uniform(self._seed, Purpose.AUGMENTATION, 2 * first, len(sounds), WIDTH), audio.device)
        for operation in (self._pitch, self._filters, self._place, self._noise, self._gain, self._sign):
            sounds = operation(sounds, dice)
        return sounds.reshape(audio.shape)

    def _pitch(self, sounds: Tensor, dice: Dice) -> Tensor:
        semitones = self._settings.pitch_semitones
        ratio = 2.0 ** (dice.between(PITCH, semitones) / 12.0)
        highest = 2.0 ** (semitones[1] / 12.0)
        return dice.some(
            PITCH, self._settings.pitch_p, sounds, lambda chosen, rows: pitch_shifted(chosen, ratio[rows], highest)
        )

    def _filters(self, sounds: Tensor, dice: Dice) -> Tensor:
        """All that is a product of spectra, in one product."""
        said, samples = self._settings, sounds.shape[-1]
        if not said.high_pass_p + said.low_pass_p + said.reverb_p:
            return sounds
        response = torch.ones((len(sounds), samples + 1), device=sounds.device)
        if said.high_pass_p:
            high = high_pass(dice.between(HIGH, said.high_pass_hz), samples, self._rate)
            response = torch.where(dice.whether(HIGH, said.high_pass_p)[:, None], high, response)
        if said.low_pass_p:
            low = low_pass(dice.between(LOW, said.low_pass_hz), samples, self._rate)
            response = torch.where(dice.whether(LOW, said.low_pass_p)[:, None], response * low, response)
        if said.reverb_p:
            response = dice.some(
                ROOM,
                said.reverb_p,
                response.to(torch.complex64),
                lambda chosen, rows: chosen * impulse(self._room(dice, rows, samples), samples),
            )
        return filtered(sounds, response)

    def _room(self, dice: Dice, rows: Tensor, samples: int) -> Tensor:
        if self._responses is not None:
            which = (dice.at(ROOM + 1)[rows] * len(self._responses)).long()
            self._responses = self._responses.to(rows.device)
            return self._responses[which]
        seconds = dice.between(ROOM, self._settings.reverb_seconds)[rows]
        length = min(samples, round(self._settings.reverb_seconds[1] * self._rate))
        return rooms.artificial(dice.key(ROOM_KEY)[rows], seconds, length, self._rate)

    def _place(self, sounds: Tensor, dice: Dice) -> Tensor:
        by = (dice.between(PLACE, self._settings.shift_fraction) * sounds.shape[-1]).round().long()
        return dice.some(PLACE, self._settings.shift_p, sounds, lambda chosen, rows: levels.rolled(chosen, by[rows]))

    def _noise(self, sounds: Tensor, dice: Dice) -> Tensor:
        snr, keys = dice.between(NOISE, self._settings.noise_snr_db), dice.key(NOISE_KEY)

        def noisy(chosen: Tensor, rows: Tensor) -> Tensor:
            return levels.with_noise(chosen, white(keys[rows], chosen.shape[-1]), snr[rows])

        return dice.some(NOISE, self._settings.noise_p, sounds, noisy)

    def _gain(self, sounds: Tensor, dice: Dice) -> Tensor:
        if not self._settings.gain_p:
            return sounds
        gain = dice.between(GAIN, self._settings.gain_db)
        return levels.gained(sounds, torch.where(dice.whether(GAIN, self._settings.gain_p), gain, 0.0))

    def _sign(self, sounds: Tensor, dice: Dice) -> Tensor:
        if not self._settings.polarity_p:
            return sounds
        return levels.turned(sounds, dice.whether(SIGN, self._settings.polarity_p))


def build_chain(plan: Plan) -> Chain | None:
    """What the plan does to sounds on the device; None if that is nothing.

    Raises:
        DataError: the folder of impulse responses cannot be used.
    """
    said, spec = plan.recipe.augmentation, plan.spec
    if not said.of_sounds or plan.data.augment_in != "device":
        return None
    responses = rooms.read_responses(Path(said.impulse_responses), spec.sample_rate) if said.impulse_responses else None
    return Chain(said, seed=spec.seed, rate=spec.sample_rate, responses=responses)


class Dice:
    """What fell for each of B sounds: numbers (B, WIDTH) in (0, 1), on the CPU and on the device."""

    def __init__(self, fallen: NDArray[np.float64], device: torch.device) -> None:
        self._fallen = fallen
        self._here = _on(fallen, device)
        self._device = device

    def at(self, column: int) -> Tensor:
        """The numbers of a column, (B,)."""
        return self._here[:, column]

    def whether(self, operation: int, p: float) -> Tensor:
        """True for the sounds to which it happens, (B,)."""
        return self.at(operation) < p

    def between(self, operation: int, ends: Range) -> Tensor:
        """How it happens: numbers in this range, float32 (B,)."""
        return (ends[0] + (ends[1] - ends[0]) * self.at(operation + 1)).float()

    def key(self, column: int) -> Tensor:
        """Whole numbers below 2**32, int64 (B,)."""
        return (self.at(column) * 2.0**32).long()

    def some(self, operation: int, p: float, sounds: Tensor, change: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
        """The sounds, with those changed to which it happens: (those sounds, their rows) -> as many sounds."""
        rows = np.flatnonzero(self._fallen[:, operation] < p)
        if not len(rows):
            return sounds
        at = _on(rows, self._device)
        return sounds.index_copy(0, at, change(sounds[at], at))


def _on(array: NDArray[np.generic], device: torch.device) -> Tensor:
    tensor = torch.from_numpy(array)
    return tensor.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else tensor
