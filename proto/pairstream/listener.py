"""What hears sounds as a trained encoder does: the seam between the page to listen and whoever trains.

The page shows how alike an encoder finds the two views of a pair, but neither loads nor knows an encoder. It reaches
the one of its own environment through the entry point `pairstream.listeners`, as `local://` reaches a renderer.
"""

from __future__ import annotations

from importlib.metadata import entry_points
from pathlib import Path
from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray

from pairstream.errors import ConfigError
from pairstream.spec import StreamSpec


class Listener(Protocol):
    """A trained encoder."""

    @property
    def name(self) -> str:
        """What `embed` hears with from now on, for people; of a training that goes on, another one after a while.

        Raises:
            CheckpointError: the newest cannot be used.
        """

    @property
    def spec(self) -> StreamSpec:
        """The stream that it learned from."""

    def embed(self, audio: NDArray[np.float32], sample_rate: int) -> NDArray[np.float32]:
        """Audio (B, T) in [-1, 1] -> embeddings (B, D), those that its objective compares.

        Raises:
            ConfigError: sounds of this rate or length are not what it hears.
        """


class OpenListener(Protocol):
    """Loads the encoder of a checkpoint."""

    def __call__(self, checkpoint: Path) -> Listener:
        """Raises CheckpointError if there is none that can be used."""


def installed_listener() -> OpenListener:
    """The one that is installed beside this package.

    Raises:
        ConfigError: none is installed.
    """
    found = entry_points(group="pairstream.listeners", name="trainer")
    try:
        return cast(OpenListener, next(iter(found)).load())
    except (StopIteration, ImportError) as error:
        raise ConfigError(
            f"to hear as a checkpoint does needs the trainer in this environment ({error or 'none is installed'}); "
            "install `pairstream[trainer]`, or leave --checkpoint away"
        ) from error
