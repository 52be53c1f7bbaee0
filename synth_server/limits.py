"""What a spec may ask for at most: checked before anything is allocated, and refused with the reason."""

from __future__ import annotations

from dataclasses import dataclass

from pairstream.errors import RefusedError
from pairstream.spec import StreamSpec

MIB = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The bounds of one process that renders."""

    block_bytes: int = 256 * MIB
    """Bytes of a block's audio."""
    seconds: float = 60.0
    """Length of a sound."""
    samples: int = 1_000_000
    """Samples of a sound: an engine needs some 2 kB per sample and thread while it renders."""
    asks_per_client: int = 128
    """Blocks that one client may have asked for and not yet received."""

    def check(self, spec: StreamSpec) -> None:
        """Refuse a spec that asks for more.

        Raises:
            RefusedError: with what it asks for and what is allowed.
        """
        if spec.audio_bytes > self.block_bytes:
            raise RefusedError(
                f"a block of {spec.block_pairs} pairs of {spec.seconds} s has {spec.audio_bytes / MIB:,.0f} MiB of "
                f"audio, at most {self.block_bytes // MIB} are rendered: lower block_pairs (or raise the worker's "
                "--max-block-mib)"
            )
        if spec.seconds > self.seconds:
            raise RefusedError(f"seconds={spec.seconds} is more than the {self.seconds} that are rendered")
        if spec.samples > self.samples:
            raise RefusedError(
                f"{spec.seconds} s at {spec.sample_rate} Hz are {spec.samples:,} samples a sound, at most "
                f"{self.samples:,} are rendered: lower seconds or sample_rate"
            )


#: For blocks that are rendered in the process that wants them, where nobody else is crowded out.
LOCAL = Limits(block_bytes=2_048 * MIB)
