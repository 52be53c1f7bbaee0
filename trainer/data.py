"""StreamData: the stream as Lightning wants it, and the cursor in the checkpoint.

Lightning fetches one batch ahead of the one it trains on, so the stream's own position is too far:
the cursor kept here is the one right after the last batch that was really trained on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any

import torch
from pytorch_lightning import LightningDataModule
from torch.utils.data import DataLoader

from pairstream.stats import ClientStats
from pairstream.torch import PairBatch, PairStream
from trainer.config import FitSettings
from trainer.meter import Meter, Spent
from trainer.plan import Plan
from trainer.read_ahead import ReadAhead, ToCard


class StreamData(LightningDataModule):
    """Batches of the plan's stream for ever; their cursor and the time they took."""

    def __init__(self, plan: Plan, settings: FitSettings, meter: Meter) -> None:
        super().__init__()
        self.meter = meter
        self._plan = plan
        self._settings = settings
        self._stream: PairStream | None = None
        self._cursor: dict[str, Any] | None = None

    @property
    def next_index(self) -> int:
        """The first block of the stream that has not been trained on."""
        if self._cursor is None:
            return self._plan.start if isinstance(self._plan.start, int) else 0
        return int(self._cursor["next"])

    def client_stats(self) -> ClientStats | None:
        """What the stream's client has measured; None before the first batch."""
        return self._stream.stats() if self._stream else None

    def train_dataloader(self) -> MeteredLoader:
        """The stream of this process's rank, from the cursor on."""
        trainer, settings = self.trainer, self._settings
        self._stream = PairStream(
            settings.stream,
            self._plan.spec,
            experiment=settings.experiment,
            start=self._plan.start,
            follow=self._plan.follow,
            max_lag=settings.max_lag,
            batch_pairs=self._plan.recipe.batch_pairs,
            timeout=settings.timeout,
            rank=trainer.global_rank if trainer else 0,
            world=trainer.world_size if trainer else 1,
        )
        if self._cursor is not None:
            bound = {"fingerprint"} if settings.any_arithmetic else set()
            self._stream.load_state_dict({name: self._cursor[name] for name in self._cursor.keys() - bound})
        device = trainer.strategy.root_device if trainer else torch.device("cpu")
        on_card = device.type == "cuda"
        loader = DataLoader(self._stream, batch_size=None, num_workers=settings.loader_workers, pin_memory=on_card)
        return MeteredLoader(ReadAhead(loader, ToCard(device)) if on_card else loader, self.meter)

    def transfer_batch_to_device(self, batch: PairBatch, device: torch.device, dataloader_idx: int) -> PairBatch:
        """On a card it is there already."""
        return batch.to(device)

    def trained_on(self, batch: PairBatch, *, ends_step: bool = True) -> None:
        """Move the cursor past `batch`, and past what the other processes took of the same round."""
        if self._stream is not None:
            self._cursor = self._stream.state_after(batch)
        processes = self.trainer.world_size if self.trainer else 1
        self.meter.stepped(len(batch.audio) * processes, steps=int(ends_step))

    def state_dict(self) -> dict[str, Any]:
        """Cursor and time spent, for the checkpoint."""
        return {"cursor": self._cursor, "spent": asdict(self.meter.read())}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue from a checkpoint; Lightning calls it before it asks for the loader."""
        self._cursor = state_dict["cursor"]
        self.meter.before = Spent(**state_dict["spent"])


class MeteredLoader:
    """A loader whose waits are measured. It has no length, as the stream has no end."""

    def __init__(self, loader: Iterable[PairBatch], meter: Meter) -> None:
        self._loader = loader
        self._meter = meter

    def __iter__(self) -> Iterator[PairBatch]:
        return self._meter.watching(self._loader)
