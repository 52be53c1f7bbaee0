"""The Lightning Trainer of a run: on which devices, in which precision, with how many batches to a step."""

from __future__ import annotations

from lightning_fabric.utilities.exceptions import MisconfigurationException
from pytorch_lightning import Callback, Trainer

from pairstream.errors import ConfigError
from trainer.checkpoints import WholeCheckpointIO
from trainer.config import FitSettings
from trainer.device import device_of
from trainer.recipe import Recipe


def lightning_trainer(recipe: Recipe, settings: FitSettings, callbacks: list[Callback]) -> Trainer:
    """A Trainer for one epoch without end, so that no block is dropped where an epoch would turn over.

    On a card cuDNN tries its algorithms for the one shape of batch that there is. What float32 means there is
    left at PyTorch's defaults: TF32 in convolutions, whole float32 in matrix products, so in the log-mel picture.

    Raises:
        ConfigError: there are no such devices.
    """
    device = device_of(settings.accelerator)
    try:
        return Trainer(
            accelerator=device.type,
            devices=settings.devices,
            num_nodes=settings.nodes,
            precision=recipe.precision,
            max_steps=recipe.max_steps,
            max_epochs=-1,
            accumulate_grad_batches=recipe.accumulate,
            benchmark=device.type == "cuda",
            callbacks=callbacks,
            plugins=[WholeCheckpointIO()],
            sync_batchnorm=device.type == "cuda" and settings.devices * settings.nodes > 1,
            use_distributed_sampler=False,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
    except MisconfigurationException as error:
        raise ConfigError(
            f"no such machine for accelerator={settings.accelerator!r} and devices={settings.devices}: {error}"
        ) from error
