"""Material: what a training learns from: a stream, recordings, or both. Settings only; `trainer/sources/` reads it.

Torch is not needed here, so `--help` can read it. What the stream is, the spec says, and who renders it, nobody here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from pairstream.errors import ConfigError

Where = Literal["device", "loader"]


@dataclass(frozen=True, kw_only=True)
class Material:
    """What is learned from; the stream alone unless said.

    Raises:
        ConfigError: a field is out of range or contradicts another; the message says the remedy.
    """

    recordings: tuple[str, ...] | str = ()
    """A folder of recordings to learn from, or a list: with a manifest.csv (column file), or any audio files."""
    where: tuple[str, ...] | str = ()
    """Which rows of the manifest: COLUMN=VALUE[,VALUE] or COLUMN!=VALUE, or a list, one for each folder."""
    real: float | None = None
    """Share of the pairs that are of recordings; 1 where recordings are named, unless said."""
    jitter: bool = True
    """The views of a recording are two places of one clip; else one place, and only augmentations tell them apart."""
    augment_in: Where = "device"
    """Where sounds are augmented. loader: by audiomentations, in loader processes, and recordings only."""
    pool: int | None = None
    """Learn from so many blocks of the stream again and again, shuffled anew in each pass, instead of from new ones."""
    deltas: Mapping[int, float] = field(default_factory=dict)
    """The stream's delta from these steps on, {step: delta}; before them, and in held-out pairs, it is spec.delta."""

    def __post_init__(self) -> None:
        for name in ("recordings", "where"):
            said = getattr(self, name)
            object.__setattr__(self, name, (said,) if isinstance(said, str) else tuple(map(str, said)))
        object.__setattr__(self, "deltas", _checked_deltas(self.deltas))
        if not 0.0 <= self.share <= 1.0:
            raise ConfigError(f"data.real={self.real!r} is no share; use 0 (the stream alone) to 1 (recordings alone)")
        if (self.share > 0.0) != bool(self.recordings):
            raise ConfigError(
                f"data.real={self.real} with {len(self.recordings)} folders of recordings; "
                "name them with --data.recordings FOLDER, or leave both out"
            )
        if not self.recordings and (self.where or not self.jitter):
            raise ConfigError(
                "data.where and data.jitter are about recordings; name them with --data.recordings FOLDER"
            )
        if len(self.where) not in (0, 1, len(self.recordings)):
            raise ConfigError(
                f"data.where has {len(self.where)} conditions for {len(self.recordings)} folders; write one or one each"
            )
        if self.augment_in not in get_args(Where):
            raise ConfigError(f"data.augment_in={self.augment_in!r} is unknown; use {' or '.join(get_args(Where))}")
        if self.pool is not None and self.pool < 1:
            raise ConfigError(f"data.pool={self.pool} has nothing to learn from; use at least 1 block")
        if not self.streams and (self.pool is not None or self.deltas):
            raise ConfigError("data.pool and data.deltas are the stream's, which data.real=1 does not use")
        if self.augment_in == "loader" and self.streams:
            raise ConfigError("data.augment_in=loader is for recordings alone; use data.real=1, or device")

    @property
    def share(self) -> float:
        """Share of the pairs that are of recordings."""
        return float(bool(self.recordings)) if self.real is None else float(self.real)

    @property
    def streams(self) -> bool:
        """Whether the stream is used."""
        return self.share < 1.0

    @property
    def every_block_once(self) -> bool:
        """Whether the blocks of one stream are taken one after the other, which alone can be followed live."""
        return not self.recordings and self.pool is None and not self.deltas

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as JSON has them."""
        deltas = {str(step): delta for step, delta in self.deltas.items()}
        return {
            "recordings": list(self.recordings), "where": list(self.where), "real": self.real, "jitter": self.jitter,
            "augment_in": self.augment_in, "pool": self.pool, "deltas": deltas,
        }  # fmt: skip

    def __str__(self) -> str:
        parts = []
        if self.streams:
            pool = f"{self.pool:,} blocks of the stream, again and again" if self.pool else "the stream"
            steps = ", ".join(f"{delta:g} from step {step:,}" for step, delta in self.deltas.items())
            parts.append(pool + (f", delta {steps}" if steps else ""))
        if self.recordings:
            parts.append(f"recordings in {', '.join(self.recordings)}")
        if len(parts) == 2:
            parts[1] += f" ({self.share:.0%} of the pairs)"
        return " and ".join(parts)


def _checked_deltas(deltas: Mapping[Any, Any]) -> dict[int, float]:
    """In the order of steps. What a delta may be, the spec says."""
    try:
        checked = {int(step): float(delta) for step, delta in deltas.items()}
    except (TypeError, ValueError, AttributeError) as error:
        raise ConfigError(
            f"data.deltas={deltas!r} is no {{step: delta}}; write, say, {{0: 0.05, 1000: 0.25}}"
        ) from error
    if any(step < 0 for step in checked):
        raise ConfigError(f"data.deltas={deltas!r} names a step below 0")
    return dict(sorted(checked.items()))
