"""StreamData: a source of pairs as Lightning wants it, augmented on the device, and the cursor in the checkpoint.

Lightning fetches one batch ahead of the one it trains on, so the source's own position is too far:
the cursor kept here is the one right after the last batch that was really trained on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, cast

import torch
from pytorch_lightning import LightningDataModule
from torch.utils.data import DataLoader, IterableDataset

from pairstream.cursor import Share
from pairstream.errors import DataError
from pairstream.stats import ClientStats
from pairstream.torch import PairBatch
from trainer.augment.chain import build_chain
from trainer.augment.rooms import digest_of, read_responses
from trainer.config import FitSettings
from trainer.meter import Meter, Spent
from trainer.plan import Plan
from trainer.read_ahead import ReadAhead, ToCard
from trainer.sources.build import build_source, check_loader
from trainer.sources.clips_in_memory import ClipsInMemory
from trainer.sources.source import RECORDINGS, Source


class StreamData(LightningDataModule):
    """Batches of what the plan learns from, for ever; their cursor and the time they took.

    Args:
        plan: what is learned from, and how it is augmented.
        settings: where it is had.
        meter: told of every step.
        clips: the plan's recordings, if it has any.
    """

    def __init__(self, plan: Plan, settings: FitSettings, meter: Meter, clips: ClipsInMemory | None = None) -> None:
        super().__init__()
        check_loader(plan, settings)
        self.meter = meter
        self._plan = plan
        self._settings = settings
        self._clips = clips
        folder = plan.recipe.augmentation.impulse_responses
        responses = read_responses(Path(folder), plan.spec.sample_rate) if folder else None
        self._rooms = digest_of(responses)
        self._chain = build_chain(plan, responses)
        self._source: Source | None = None
        self._cursor: dict[str, Any] | None = None

    @property
    def next_index(self) -> int:
        """The first block of the stream that has not been trained on."""
        if self._cursor is None:
            return self._plan.start if isinstance(self._plan.start, int) else 0
        return int(self._cursor["next"])

    def client_stats(self) -> ClientStats | None:
        """What the stream's client has measured; None before the first batch."""
        return self._source.stats() if self._source else None

    def train_dataloader(self) -> MeteredLoader:
        """The batches of this process's rank, from the cursor on."""
        trainer, settings = self.trainer, self._settings
        share = Share(rank=trainer.global_rank, world=trainer.world_size) if trainer else Share()
        source = self._source = build_source(self._plan, settings, self._clips, share)
        if self._cursor is not None:
            bound = {"fingerprint", RECORDINGS} if settings.any_arithmetic else set()
            source.load_state_dict({name: self._cursor[name] for name in self._cursor.keys() - bound})
        device = trainer.strategy.root_device if trainer else torch.device("cpu")
        on_card = device.type == "cuda"
        loader: DataLoader[PairBatch] = DataLoader(
            cast("IterableDataset[PairBatch]", source),
            batch_size=None,
            num_workers=settings.loader_workers,
            pin_memory=on_card,
        )
        return MeteredLoader(ReadAhead(loader, ToCard(device)) if on_card else loader, self.meter)

    def transfer_batch_to_device(self, batch: PairBatch, device: torch.device, dataloader_idx: int) -> PairBatch:
        """On a card it is there already."""
        return batch.to(device)

    def on_after_batch_transfer(self, batch: PairBatch, dataloader_idx: int) -> PairBatch:
        """Augment the sounds, where they are."""
        if self._chain is None:
            return batch
        return replace(batch, audio=self._chain(batch.audio, batch.index * self._plan.spec.block_pairs + batch.pair))

    def trained_on(self, batch: PairBatch, *, ends_step: bool = True) -> None:
        """Move the cursor past `batch`, and past what the other processes took of the same round."""
        if self._source is not None:
            self._cursor = self._source.state_after(batch)
        processes = self.trainer.world_size if self.trainer else 1
        self.meter.stepped(len(batch.audio) * processes, steps=int(ends_step))

    def state_dict(self) -> dict[str, Any]:
        """Cursor and time spent, for the checkpoint, and which rooms the sounds were in."""
        return {"cursor": self._cursor, "spent": asdict(self.meter.read()), "rooms": self._rooms}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue from a checkpoint; Lightning calls it before it asks for the loader.

        Raises:
            DataError: the folder of impulse responses holds others than before.
        """
        if state_dict.get("rooms", self._rooms) != self._rooms and not self._settings.any_arithmetic:
            raise DataError(
                f"the impulse responses in {self._plan.recipe.augmentation.impulse_responses} are not those that this "
                "run began with; give it the same, or --any_arithmetic to go on with others"
            )
        self._cursor = state_dict["cursor"]
        self.meter.before = Spent(**state_dict["spent"])


class MeteredLoader:
    """A loader whose waits are measured. It has no length, as the stream has no end."""

    def __init__(self, loader: Iterable[PairBatch], meter: Meter) -> None:
        self._loader = loader
        self._meter = meter

    def __iter__(self) -> Iterator[PairBatch]:
        return self._meter.watching(self._loader)
