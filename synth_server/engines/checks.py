"""What every engine refuses before it renders: wrong shapes, wrong types, values that mean nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairstream.errors import ConfigError
from synth_server.patches import Parameter
from synth_server.perturb import FLOOR


def check_theta(theta: NDArray[Any], parameters: tuple[Parameter, ...]) -> NDArray[np.float32]:
    """Theta (B, P) with every value lifted to 1e-6 at least.

    Raises:
        ConfigError: it is not float32 (B, P) in [0, 1]; the message names the first bad value's place.
    """
    _check_array("theta", theta, np.float32, (None, len(parameters)))
    inside = (theta >= 0.0) & (theta <= 1.0)
    if not inside.all():
        sound, column = np.argwhere(~inside)[0]
        raise ConfigError(
            f"theta[{sound}, {column}] ({parameters[column].label}) is {theta[sound, column]!r}; "
            "every value must be in [0, 1]: clip it, or map human units with Patch.scale.to_unit"
        )
    lifted: NDArray[np.float32] = np.maximum(theta, np.float32(FLOOR))
    return lifted


def check_keys(noise_keys: NDArray[Any], sounds: int) -> None:
    """Refuse keys that are not uint64 (B,).

    Raises:
        ConfigError: as said.
    """
    _check_array("noise_keys", noise_keys, np.uint64, (sounds,))


def check_noise(noise: NDArray[Any], sounds: int, samples: int) -> None:
    """Refuse noise that is not float32 (B, T) in [-1, 1].

    Raises:
        ConfigError: as said.
    """
    _check_array("noise", noise, np.float32, (sounds, samples))
    if not (np.abs(noise) <= 1.0).all():
        raise ConfigError(f"noise has a peak of {np.abs(noise).max()!r}; every sample must be in [-1, 1]")


def _check_array(name: str, array: Any, dtype: type[np.generic], shape: tuple[int | None, ...]) -> None:
    if not isinstance(array, np.ndarray):
        raise ConfigError(f"{name} is a {type(array).__name__}; give a NumPy array of {dtype.__name__}")
    if array.dtype != dtype:
        raise ConfigError(f"{name} has the type {array.dtype}; convert it with .astype(numpy.{dtype.__name__})")
    fits = array.ndim == len(shape) and all(want in (None, have) for want, have in zip(shape, array.shape, strict=True))
    if not fits:
        wanted = ", ".join("B" if size is None else str(size) for size in shape)
        raise ConfigError(f"{name} has the shape {array.shape}; it must be ({wanted})")
