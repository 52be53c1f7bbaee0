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
#: Samples on each side from which one between them is read, and the degree of what they weigh.
TAPS, DEGREE = 8, 6
#: Added to what may be silent, whose phase is 0 then. Its square is a normal float32.
TINY = 1e-12


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
    """STFT (B, bins, n) -> (B, bins, count), whose frame k is the sound's at k / factor.

    Frames are as far apart as they were, so a phase goes on by the angle between two frames, whole turns left out, and
    angles add up as a product of numbers of magnitude 1: no arc tangent, no sine.
    """
    last = frames.shape[-1] - 1
    times = torch.arange(count, device=frames.device) / factor[:, None].double()
    begin = times.floor().clamp(max=last).long()
    along = (times - begin).clamp(0.0, 1.0).float()[:, :, None]
    loud, cos, sin = _polar(torch.nn.functional.pad(frames.transpose(1, 2), (0, 0, 0, 1)))
    magnitude = torch.lerp(_frames_at(loud, begin), _frames_at(loud, begin + 1), along)
    turned = _frames_at(_turns(cos, sin), begin)
    phase = torch.cat([torch.ones_like(turned[:, :1]), turned[:, :-1]], dim=1).cumprod(dim=1)
    middle = (factor * (last / 2)).round().long().clamp(max=count - 1)[:, None]
    there = torch.complex(*(_frames_at(part, begin.gather(1, middle)) for part in (cos, sin)))
    phase *= there * _frames_at(phase, middle).conj()
    return (phase * torch.complex(magnitude, torch.zeros_like(magnitude))).transpose(1, 2)


def _polar(frames: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Complex numbers as magnitude, cosine and sine of the phase, which is 0 for silence."""
    real, imaginary = frames.real + TINY, frames.imag.contiguous()
    magnitude = torch.addcmul(real.square(), imaginary, imaginary).sqrt_()
    return magnitude, real.div_(magnitude), imaginary.div_(magnitude)


def _turns(cos: Tensor, sin: Tensor) -> Tensor:
    """From each frame (B, n + 1, bins) to the next, as numbers of magnitude 1 -> (B, n, bins)."""
    cosines, sines = (cos[:, :-1], cos[:, 1:]), (sin[:, :-1], sin[:, 1:])
    return torch.complex(
        torch.addcmul(cosines[0] * cosines[1], sines[0], sines[1]),
        torch.addcmul(cosines[0] * sines[1], sines[0], cosines[1], value=-1.0),
    )


def read_at(audio: Tensor, speed: Tensor, samples: int) -> Tensor:
    """Sounds (B, T') read at positions 0, speed, 2 * speed, … (B,) -> (B, samples).

    Between the samples by a sinc under a Hann window, whose band is narrower where the reading is faster, so that
    nothing folds back. What a sample weighs is a polynomial of where one reads (Farrow, 1988): each power of it is
    a convolution of the sound, of which one number is taken.
    """
    positions = torch.arange(samples, device=audio.device, dtype=torch.float64) * speed[:, None].double()
    nearest = positions.round().long().clamp_(max=audio.shape[-1] - 1)
    part = (positions - nearest).clamp_(-0.5, 0.5).float()
    padded = torch.nn.functional.pad(audio[None], (TAPS, TAPS), mode="replicate")
    weights = farrow(speed)
    powers = torch.nn.functional.conv1d(padded, weights.flatten(0, 1)[:, None], groups=len(audio))
    taken = powers.view(*weights.shape[:2], -1).gather(2, nearest[:, None].expand(-1, DEGREE + 1, -1))
    read = taken[:, DEGREE]
    for power in reversed(range(DEGREE)):
        read = torch.addcmul(taken[:, power], read, part)
    return read


def farrow(speed: Tensor) -> Tensor:
    """What the samples around weigh where one reads at these speeds (B,) -> (B, DEGREE + 1, 2 * TAPS + 1).

    For each power of the place (between -0.5 and 0.5 from the nearest sample), through points of Chebyshev's.
    """
    points = torch.cos(math.pi * (torch.arange(DEGREE + 1, dtype=torch.float64) + 0.5) / (DEGREE + 1)) / 2.0
    taps = torch.arange(-TAPS, TAPS + 1, dtype=torch.float64)
    inverse = torch.linalg.inv(points[:, None] ** torch.arange(DEGREE + 1)).to(speed.device)
    away = (points[:, None] - taps).to(speed.device)
    band = (1.0 / speed.double()).clamp(max=1.0)[:, None, None]
    window = torch.cos(math.pi * away.clamp(-TAPS, TAPS) / (2.0 * TAPS)).square()
    kernel = torch.sinc(band * away) * window
    weights: Tensor = (inverse @ (kernel / kernel.sum(dim=2, keepdim=True))).float()
    return weights


def _frames_at(frames: Tensor, at: Tensor) -> Tensor:
    """(B, n, bins) at frames (B, count) -> (B, count, bins)."""
    rows = at + torch.arange(len(at), device=at.device)[:, None] * frames.shape[1]
    return frames.flatten(0, 1).index_select(0, rows.flatten()).view(*at.shape, -1)
