"""What every engine refuses, with a message that quotes the value and the remedy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pairstream.errors import ConfigError
from synth_server.engines import ENGINES, Engine, load_engine


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    made = load_engine(request.param, threads=1)
    yield made
    made.close()


def bad_theta(value: float) -> NDArray[np.float32]:
    theta = np.full((2, 78), 0.5, np.float32)
    theta[1, 2] = value
    return theta


GOOD, KEYS = np.full((2, 78), 0.5, np.float32), np.zeros(2, np.uint64)


@pytest.mark.parametrize(
    ("theta", "keys", "hiss", "message"),
    [
        (GOOD[:, :77], KEYS, None, r"theta has the shape \(2, 77\); it must be \(B, 78\)"),
        (GOOD[0], KEYS, None, r"theta has the shape \(78,\)"),
        (GOOD.astype(np.float64), KEYS, None, "theta has the type float64; convert it"),
        (GOOD.tolist(), KEYS, None, "theta is a list; give a NumPy array"),
        (bad_theta(1.5), KEYS, None, r"theta\[1, 2\] \(adsr_1.attack\) is .*1.5.*clip it"),
        (bad_theta(-0.1), KEYS, None, r"must be in \[0, 1\]"),
        (bad_theta(np.nan), KEYS, None, "is .*nan"),
        (GOOD, KEYS[:1], None, r"noise_keys has the shape \(1,\); it must be \(2\)"),
        (GOOD, KEYS.astype(np.int64), None, "noise_keys has the type int64"),
        (GOOD, KEYS, np.zeros((2, 15_999), np.float32), r"noise has the shape .* must be \(2, 16000\)"),
        (GOOD, KEYS, np.full((2, 16_000), 2.0, np.float32), r"noise has a peak of .*2.0.*\[-1, 1\]"),
    ],
)
def test_what_cannot_be_meant_is_refused(engine: Engine, theta: Any, keys: Any, hiss: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        engine.render(theta, keys, noise=hiss)
