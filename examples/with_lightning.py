"""The stream in a LightningModule of one's own, without our trainer; the cursor lies in Lightning's checkpoint.

python -m examples.with_lightning [STEPS [FOLDER [URL]]]

Run it again with more steps, and it goes on with the very next block.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import LightningModule, Trainer
from torch import Tensor
from torch.utils.data import DataLoader

from examples.with_pytorch import SPEC, encoder, which_is_whose
from pairstream.torch import PairBatch, PairStream


class Contrast(LightningModule):
    """An encoder and where its stream stands.

    Lightning reads one batch ahead, so the stream's own position is too far: the state that counts is the one
    after the last batch that was trained on.
    """

    def __init__(self, url: str) -> None:
        super().__init__()
        self.encoder = encoder()
        self.stream = PairStream(url, SPEC, experiment="lightning")
        self.cursor: dict[str, Any] = {}

    def train_dataloader(self) -> DataLoader[PairBatch]:
        """Blocks as they come: the stream makes the batches, so the loader must not."""
        return DataLoader(self.stream, batch_size=None)

    def transfer_batch_to_device(self, batch: PairBatch, device: torch.device, dataloader_idx: int) -> PairBatch:
        """Lightning knows how to move tensors, and a batch how to move itself."""
        return batch.to(device)

    def training_step(self, batch: PairBatch, batch_idx: int) -> Tensor:
        """The loss of a block."""
        self.cursor = self.stream.state_after(batch)
        loss = which_is_whose(self.encoder(batch.a), self.encoder(batch.b))
        print(f"step {self.global_step + 1}, block {batch.index}: loss {loss.item():.3f}")
        return loss

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Adam, as in the other example."""
        return torch.optim.Adam(self.parameters(), lr=1e-3)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """A checkpoint knows which block comes next."""
        checkpoint["stream"] = self.cursor

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Lightning calls this before it asks for the loader."""
        self.stream.load_state_dict(checkpoint["stream"])


def main(steps: int = 20, folder: Path = Path("runs/lightning"), url: str = "local://") -> None:
    """Train up to `steps` steps, from the last checkpoint on if there is one."""
    torch.manual_seed(0)
    last = folder / "last.ckpt"
    trainer = Trainer(
        max_steps=steps, max_epochs=-1, accelerator="auto", devices=1, logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False,
    )  # fmt: skip
    trainer.fit(Contrast(url), ckpt_path=last if last.exists() else None, weights_only=True)
    trainer.save_checkpoint(last)


if __name__ == "__main__":
    given = sys.argv[1:]
    main(*(convert(word) for convert, word in zip((int, Path, str), given, strict=False)))
