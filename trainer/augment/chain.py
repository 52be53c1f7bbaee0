"""Chain: every sound of a batch changed in its own way, on the device that the batch is on.

What happens to sound s is a pure function of (seed, s), and s counts the sounds of the training: two for each pair.
The dice fall on the CPU, from a counter, so nothing waits for the device, and a resumed run augments as ever.
The order is pitch, filters and room, place in time, noise, level, sign. The sounds come back in float32.
"""

from __future__ import annotations

import torch
from torch import Tensor

from trainer.augment import levels, rooms
from trainer.augment.dice import WIDTH, Column, Dice
from trainer.augment.filters import filtered, high_pass, impulse, low_pass
from trainer.augment.hash_noise import white
from trainer.augment.pitch import pitch_shifted
from trainer.augmentation import Augmentation
from trainer.draws import Purpose, uniform
from trainer.plan import Plan

#: On a CPU, so that what lies between the operations stays in its cache; a card takes a batch at once.
PAIRS_AT_ONCE = 8


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
        pairs = len(audio) if audio.device.type != "cpu" else PAIRS_AT_ONCE
        parts = torch.split(audio, max(1, pairs))
        return torch.cat([self._changed(part, first + number * pairs) for number, part in enumerate(parts)])

    def _changed(self, audio: Tensor, first: int) -> Tensor:
        sounds = audio.flatten(0, 1).float()
        dice = Dice(uniform(self._seed, Purpose.AUGMENTATION, 2 * first, len(sounds), WIDTH), audio.device)
        for operation in (self._pitch, self._filters, self._place, self._noise, self._gain, self._sign):
            sounds = operation(sounds, dice)
        return sounds.reshape(audio.shape)

    def _pitch(self, sounds: Tensor, dice: Dice) -> Tensor:
        semitones = self._settings.pitch_semitones
        ratio = 2.0 ** (dice.between(Column.PITCH, semitones) / 12.0)
        highest = 2.0 ** (semitones[1] / 12.0)
        return dice.some(
            Column.PITCH,
            self._settings.pitch_p,
            sounds,
            lambda chosen, rows: pitch_shifted(chosen, ratio[rows], highest),
        )

    def _filters(self, sounds: Tensor, dice: Dice) -> Tensor:
        """All that is a product of spectra, in one product."""
        said, samples = self._settings, sounds.shape[-1]
        if not said.high_pass_p + said.low_pass_p + said.reverb_p:
            return sounds
        response = torch.ones((len(sounds), samples + 1), device=sounds.device)
        high, low = dice.between(Column.HIGH, said.high_pass_hz), dice.between(Column.LOW, said.low_pass_hz)
        response = dice.some(
            Column.HIGH,
            said.high_pass_p,
            response,
            lambda chosen, rows: chosen * high_pass(high[rows], samples, self._rate),
        )
        response = dice.some(
            Column.LOW,
            said.low_pass_p,
            response,
            lambda chosen, rows: chosen * low_pass(low[rows], samples, self._rate),
        )
        if said.reverb_p:
            response = dice.some(
                Column.ROOM,
                said.reverb_p,
                response.to(torch.complex64),
                lambda chosen, rows: chosen * impulse(self._room(dice, rows, samples), samples),
            )
        return filtered(sounds, response)

    def _room(self, dice: Dice, rows: Tensor, samples: int) -> Tensor:
        if self._responses is not None:
            which = (dice.at(Column.ROOM + 1)[rows] * len(self._responses)).long()
            self._responses = self._responses.to(rows.device)
            return self._responses[which]
        seconds = dice.between(Column.ROOM, self._settings.reverb_seconds)[rows]
        length = min(samples, round(self._settings.reverb_seconds[1] * self._rate))
        return rooms.artificial(dice.key(Column.ROOM_KEY)[rows], seconds, length, self._rate)

    def _place(self, sounds: Tensor, dice: Dice) -> Tensor:
        by = (dice.between(Column.PLACE, self._settings.shift_fraction) * sounds.shape[-1]).round().long()
        return dice.some(
            Column.PLACE, self._settings.shift_p, sounds, lambda chosen, rows: levels.rolled(chosen, by[rows])
        )

    def _noise(self, sounds: Tensor, dice: Dice) -> Tensor:
        snr, keys = dice.between(Column.NOISE, self._settings.noise_snr_db), dice.key(Column.NOISE_KEY)

        def noisy(chosen: Tensor, rows: Tensor) -> Tensor:
            return levels.with_noise(chosen, white(keys[rows], chosen.shape[-1]), snr[rows])

        return dice.some(Column.NOISE, self._settings.noise_p, sounds, noisy)

    def _gain(self, sounds: Tensor, dice: Dice) -> Tensor:
        if not self._settings.gain_p:
            return sounds
        gain = dice.between(Column.GAIN, self._settings.gain_db)
        return levels.gained(sounds, torch.where(dice.whether(Column.GAIN, self._settings.gain_p), gain, 0.0))

    def _sign(self, sounds: Tensor, dice: Dice) -> Tensor:
        if not self._settings.polarity_p:
            return sounds
        return levels.turned(sounds, dice.whether(Column.SIGN, self._settings.polarity_p))


def build_chain(plan: Plan, responses: Tensor | None) -> Chain | None:
    """What the plan does to sounds on the device, with rooms of these responses; None if that is nothing."""
    said, spec = plan.recipe.augmentation, plan.spec
    if not said.of_sounds or plan.data.augment_in != "device":
        return None
    return Chain(said, seed=spec.seed, rate=spec.sample_rate, responses=responses)
