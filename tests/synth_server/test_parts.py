"""A block drawn in several threads is the block that one draws."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from pairstream.errors import ConfigError
from pairstream.spec import StreamSpec
from synth_server.parts import LEAST_PAIRS, Parts
from synth_server.patches import load_patch
from synth_server.perturb import perturb
from synth_server.sampling import sample

VOICE = load_patch("voice")


@pytest.mark.parametrize("rows", [range(1), range(7, 64), range(64, 131), range(130, 131)])
def test_some_pairs_of_a_block_are_those_of_the_whole(rows: range) -> None:
    spec = StreamSpec(block_pairs=131, layers=2)
    theta = sample(spec, VOICE, 4711, 1)
    views = perturb(spec, VOICE, 4711, theta, 1)
    some = slice(rows.start, rows.stop)
    assert sample(spec, VOICE, 4711, 1, rows=rows).tobytes() == theta[some].tobytes()
    assert perturb(spec, VOICE, 4711, theta[some], 1, rows=rows).tobytes() == views[some].tobytes()


@pytest.mark.parametrize("threads", [1, 2, 3, 16])
@pytest.mark.parametrize("pairs", [1, LEAST_PAIRS, 2 * LEAST_PAIRS + 1, 768])
def test_every_row_is_drawn_once_and_in_its_place(pairs: int, threads: int) -> None:
    drawn: list[int] = []

    def draw(rows: range) -> NDArray[np.int64]:
        drawn.append(len(rows))
        return np.arange(rows.start, rows.stop)

    parts = Parts(pairs, threads)
    assert parts.of_all(draw).tolist() == list(range(pairs))
    assert len(drawn) == max(1, min(threads, pairs // LEAST_PAIRS))
    parts.close()


def test_an_error_in_a_part_is_raised() -> None:
    spec, parts = StreamSpec(block_pairs=4 * LEAST_PAIRS), Parts(4 * LEAST_PAIRS, 4)
    with pytest.raises(ConfigError, match="index=-1"):
        parts.of_all(lambda rows: sample(spec, VOICE, -1, rows=rows))
    parts.close()
