"""From a plan and the settings to its source: the only place that knows all of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from pairstream.batches import Batches
from pairstream.cursor import Share
from pairstream.deck import Deck
from pairstream.errors import ConfigError
from pairstream.spec import StreamSpec
from pairstream.torch import PairStream
from trainer.config import FitSettings
from trainer.memory import enough_memory
from trainer.plan import Plan
from trainer.sources.clips_in_memory import ClipsInMemory, read_clips
from trainer.sources.folder import files_of
from trainer.sources.mixture import Mixture
from trainer.sources.recordings import RecordedPairs, RecordingsSource, Transform, unchanged
from trainer.sources.schedule import Schedule
from trainer.sources.source import Source


def read_recordings(plan: Plan) -> ClipsInMemory | None:
    """The plan's recordings in memory; None if it has none.

    Raises:
        DataError: a folder or a clip that cannot be used.
        MemoryLimitError: there are more than fit in memory.
    """
    data, spec = plan.data, plan.spec
    if not data.recordings:
        return None
    conditions = data.where if len(data.where) == len(data.recordings) else data.where * len(data.recordings)
    folders = [Path(folder).expanduser() for folder in data.recordings]
    files = [
        file
        for folder, where in zip(folders, conditions or [None] * len(folders), strict=True)
        for file in files_of(folder, where)
    ]
    with enough_memory(f"reading {len(files):,} recordings", "use fewer, with --data.where, or --spec.dtype float16"):
        return read_clips(files, rate=spec.sample_rate, crop=spec.samples, dtype=spec.dtype)


def recorded_pairs(plan: Plan, clips: ClipsInMemory) -> RecordedPairs:
    """The pairs of the plan's recordings."""
    return RecordedPairs(clips, seed=plan.spec.seed, jitter=plan.data.jitter)


def build_source(plan: Plan, settings: FitSettings, clips: ClipsInMemory | None, share: Share) -> Source:
    """The source of this rank.

    Args:
        plan: what is learned from.
        settings: by which workers, and how long to wait.
        clips: what `read_recordings` gave.
        share: this process's rank, of how many.

    Raises:
        ConfigError: batches that the ranks cannot share, or settings that contradict each other.
    """
    spec = plan.spec
    batches = Batches(block_pairs=spec.block_pairs, batch_pairs=plan.batch_pairs, share=share)
    if not plan.data.streams and clips:
        start = plan.start if isinstance(plan.start, int) else 0
        return RecordingsSource(recorded_pairs(plan, clips), batches, start=start, transform=_transform(plan))
    stream = _stream(plan, settings, batches)
    if clips is None:
        return stream
    return Mixture(stream, recorded_pairs(plan, clips), batches, share=plan.data.share, seed=spec.seed)


def _stream(plan: Plan, settings: FitSettings, batches: Batches) -> Source:
    if not plan.data.deltas:
        return _pair_stream(plan.spec, plan, settings, batches)
    begin = plan.start * plan.spec.block_pairs if isinstance(plan.start, int) else 0
    deltas: dict[int, Any] = {0: plan.spec.delta, **plan.data.deltas}
    pieces = [
        (
            begin + step * plan.recipe.accumulate * batches.batch_pairs,
            _pair_stream(replace(plan.spec, delta=delta), plan, settings, batches),
        )
        for step, delta in deltas.items()
    ]
    return Schedule(pieces, batches)


def _pair_stream(spec: StreamSpec, plan: Plan, settings: FitSettings, batches: Batches) -> PairStream:
    pool = plan.data.pool
    return PairStream(
        settings.stream,
        spec,
        experiment=settings.experiment,
        start=plan.start,
        follow=plan.follow,
        max_lag=settings.max_lag,
        batch_pairs=batches.batch_pairs,
        pool=Deck(size=pool, seed=spec.seed) if pool else None,
        timeout=settings.timeout,
        rank=batches.share.rank,
        world=batches.share.world,
    )


def _transform(plan: Plan) -> Transform:
    """What is done to recordings in the loader."""
    if plan.data.augment_in == "device" or not plan.recipe.augmentation.of_sounds:
        return unchanged
    from trainer.augment.library import Audiomentations  # noqa: PLC0415 – slow to load, and seldom wanted

    return Audiomentations(plan.recipe.augmentation, seed=plan.spec.seed, rate=plan.spec.sample_rate)


def check_loader(plan: Plan, settings: FitSettings) -> None:
    """Raises ConfigError: a stream is one sequence, which cannot be read by several processes."""
    if settings.loader_workers > 1 and plan.data.streams:
        raise ConfigError(
            f"loader_workers={settings.loader_workers}: a stream is one sequence; use 0 or 1, or recordings alone"
        )
