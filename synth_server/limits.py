"""What a spec may ask for at most: checked before anything is allocated, and refused with the reason."""

from __future__ import annotations

from dataclasses import dataclass

from pairstream.errors import RefusedError
from pairstream.oscillators import OWN
from pairstream.spec import StreamSpec

MIB = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The bounds of one process that renders."""

    block_bytes: int = 256 * MIB
    """Bytes of a block's audio and theta; each layer counts, as it is rendered like a block of its own."""
    layers: int = 16
    """Sounds that are played at once to make one."""
    seconds: float = 60.0
    """Length of a sound."""
    samples: int = 1_000_000
    """Samples of a sound: an engine needs some 2 kB per sample and thread while it renders."""
    oscillators: int = 24
    """Oscillators of all kinds: the modulation matrix grows with their square, so 24 have some 3,000 parameters."""
    asks_per_client: int = 128
    """Blocks that one client may have asked for and not yet received."""
    clients: int = 1_024
    """Clients at once; one that waits for nothing gives way to another."""
    streams: int = 64
    """Streams that all clients together may have open."""
    patches: bool = True
    """Whether the synths are known here; a relay leaves what depends on them to its workers."""

    def check(self, spec: StreamSpec) -> None:
        """Refuse a spec that asks for more.

        Raises:
            RefusedError: with what it asks for and what is allowed.
        """
        oscillators = sum({**OWN.get(spec.synth, {}), **spec.oscillators}.values())
        if oscillators > self.oscillators:
            raise RefusedError(
                f"oscillators={dict(spec.oscillators)} are {oscillators} of all kinds, at most {self.oscillators} are "
                "rendered: ask for fewer"
            )
        if spec.layers > self.layers:
            raise RefusedError(f"layers={spec.layers} is more than the {self.layers} that are rendered at once")
        if spec.seconds > self.seconds:
            raise RefusedError(f"seconds={spec.seconds} is more than the {self.seconds} that are rendered")
        if spec.samples > self.samples:
            raise RefusedError(
                f"{spec.seconds} s at {spec.sample_rate} Hz are {spec.samples:,} samples a sound, at most "
                f"{self.samples:,} are rendered: lower seconds or sample_rate"
            )
        layer = spec.audio_bytes + (_theta_bytes(spec) if self.patches else 0)
        if (size := spec.layers * layer) > self.block_bytes:
            layered = f" in {spec.layers} layers" if spec.layers > 1 else ""
            raise RefusedError(
                f"a block of {spec.block_pairs} pairs of {spec.seconds} s{layered} has {size / MIB:,.0f} MiB of audio "
                f"and theta, at most {self.block_bytes // MIB} are rendered: lower block_pairs (or raise the worker's "
                "--max-block-mib)"
            )


def _theta_bytes(spec: StreamSpec) -> int:
    """Bytes of theta of a block, of one layer; 0 of a synth that is not here, whose source knows it or refuses it."""
    from synth_server.patches import PATCHES, load_patch  # noqa: PLC0415 – loads numba, which --help can do without

    if spec.synth not in PATCHES:
        return 0
    return spec.block_pairs * 2 * 4 * len(load_patch(spec.synth, spec.oscillators).parameters)


#: For blocks that are rendered in the process that wants them, where nobody else is crowded out.
LOCAL = Limits(block_bytes=2_048 * MIB)
