"""A shift in pitch that keeps the duration: stretched by a phase vocoder, then read faster or slower.

Flanagan & Golden, "Phase vocoder", 1966, in the form of Laroche & Dolson, 1999, without phase locking: magnitudes are
interpolated between frames, and each bin's phase goes on by what it went on between the frames of the sound. It is
right in the middle of the sound and goes on from there both ways, since at the ends a frame sees a sound that begins
or ends, and bins that are out of step there would be so throughout.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

FFT = 512
HOP = 128
#: Samples on each side from which one between them is read.
TAPS = 8


def pitch_shifted(audio: Tensor, ratio: Tensor, highest: float) -> Tensor:
    """Sounds (B, T) with all frequencies times `ratio` (B,), none of which is above `highest`."""
    stretched = time_stretched(audio, ratio, highest)
    return read_at(stretched, ratio, audio.shape[-1])


def time_stretched(audio: Tensor, factor: Tensor, longest: float) -> Tensor:
    """Sounds (B, T) made longer by `factor` (B,), at most `longest`, with the same frequencies -> (B, T * longest).

    A sound that ends before the row does is followed by its last frame's echo, which nobody should read.
    """
    window = torch.hann_window(FFT, device=audio.device)
    frames = torch.stft(audio, FFT, HOP, window=window, return_complex=True)
    samples = math.ceil(audio.shape[-1] * longest)
    stretched = vocoded(frames, factor, 2 + samples // HOP)
    return from_frames(stretched, window)[:, :samples]


def from_frames(frames: Tensor, window: Tensor) -> Tensor:
    """STFT (B, bins, n) -> the sounds (B, about n * HOP) whose frames are nearest: `torch.istft`.

    That one asks the card for a number, and a training would wait there for all that it has begun.
    """
    pieces = torch.fft.irfft(frames.transpose(1, 2), n=FFT) * window
    weights = _added_up((window * window).expand(1, frames.shape[2], FFT))
    sounds: Tensor = _added_up(pieces) / weights.clamp(min=1e-6)
    return sounds[:, FFT // 2 : -(FFT // 2)]


def _added_up(pieces: Tensor) -> Tensor:
    """Pieces (B, n, FFT), each HOP later than the one before it -> their sum (B, (n + FFT / HOP - 1) * HOP)."""
    count, overlap = pieces.shape[1], FFT // HOP
    parts = pieces.reshape(-1, count, overlap, HOP)
    total = parts.new_zeros((len(parts), count + overlap - 1, HOP))
    for part in range(overlap):
        total[:, part : part + count] += parts[:, :, part]
    return total.flatten(1)


def vocoded(frames: Tensor, factor: Tensor, count: int) -> Tensor:
    """STFT (B, bins, n) -> (B, bins, count), whose frame k is the sound's at k / factor."""
    last = frames.shape[-1] - 1
    times = torch.arange(count, device=frames.device) / factor[:, None].double()
    begin = times.floor().clamp(max=last).long()
    along = (times - begin).clamp(0.0, 1.0).float()[:, None]
    padded = torch.nn.functional.pad(frames, (0, 1))
    loud, turned = padded.abs(), padded.angle()  # before the frames are taken, most of them twice
    magnitude = torch.lerp(_frames_at(loud, begin), _frames_at(loud, begin + 1), along)
    here, there = _frames_at(turned, begin), _frames_at(turned, begin + 1)
    advance = torch.linspace(0.0, math.pi * HOP, frames.shape[1], device=frames.device)[:, None]
    step = there - here - advance
    step = step - 2.0 * math.pi * torch.round(step / (2.0 * math.pi)) + advance
    phase = step.double().cumsum(dim=-1) - step  # up to thousands of turns, which float32 would round
    middle = slice(count // 2, count // 2 + 1)
    turns = (phase - phase[..., middle] + here[..., middle]) / (2.0 * math.pi)
    return torch.polar(magnitude, (2.0 * math.pi * (turns - turns.round())).float())


def read_at(audio: Tensor, speed: Tensor, samples: int) -> Tensor:
    """Sounds (B, T') read at positions 0, speed, 2 * speed, … (B,) -> (B, samples).

    Between the samples by a sinc under a Hann window, whose band is narrower where the reading is faster, so that
    nothing folds back.
    """
    positions = torch.arange(samples, device=audio.device, dtype=torch.float64) * speed[:, None].double()
    base = positions.round().long()
    part = (positions - base).float()
    band = (1.0 / speed).clamp(max=1.0)[:, None]
    reading = _Reading(part, band)
    total, weights = torch.zeros_like(part), torch.zeros_like(part)
    for tap in range(-TAPS, TAPS + 1):
        weight = reading.weight(tap)
        total.addcmul_(weight, audio.gather(1, (base + tap).clamp_(0, audio.shape[-1] - 1)))
        weights += weight
    return total / weights


class _Reading:
    """What samples weigh that lie `tap` samples from the nearest one to a position, which is `part` (B, T) beside it.

    Sines are taken once per position: from tap to tap they follow by the theorem of addition. As the taps are counted
    from the nearest sample, no small difference is divided by a small number.
    """

    def __init__(self, part: Tensor, band: Tensor) -> None:
        self._part, self._band = part, band
        angle, slow = math.pi * band * part, math.pi / (2.0 * TAPS) * part
        self._sin, self._cos = angle.sin(), angle.cos()
        self._slow_sin, self._slow_cos = slow.sin(), slow.cos()

    def weight(self, tap: int) -> Tensor:
        """(B, T): band * sinc(band * (part - tap)) under the window."""
        away = math.pi * (self._part - tap)
        if tap == 0:
            return torch.where(away == 0.0, self._band, self._sin / away).mul_(self._window(tap))
        turn = math.pi * self._band * tap
        wave = torch.addcmul(self._sin * turn.cos(), self._cos, turn.sin(), value=-1.0)
        return wave.div_(away).mul_(self._window(tap))

    def _window(self, tap: int) -> Tensor:
        turn = math.pi * tap / (2.0 * TAPS)
        half = (self._slow_cos * math.cos(turn)).add_(self._slow_sin, alpha=math.sin(turn))
        return half.clamp_(min=0.0).square_()


def _frames_at(frames: Tensor, at: Tensor) -> Tensor:
    """(B, bins, n) at frames (B, count) -> (B, bins, count)."""
    return frames.gather(2, at[:, None].expand(-1, frames.shape[1], -1))
