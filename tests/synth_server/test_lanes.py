"""The engine's threads: one torch thread each, and nothing else in the process notices them."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from synth_server.engines import load_engine
from synth_server.engines.lanes import Lanes
from synth_server.patches import load_patch


def sounds(synth: str, count: int) -> tuple[NDArray[np.float32], NDArray[np.uint64]]:
    theta = np.random.default_rng(0).random((count, len(load_patch(synth).parameters)), dtype=np.float32)
    return theta, np.arange(count, dtype=np.uint64)


@pytest.fixture(autouse=True)
def torch_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def test_the_rest_of_the_process_keeps_its_number_of_torch_threads() -> None:
    torch.set_num_threads(3)
    made = load_engine("torchsynth", threads=2)
    made.render(*sounds("voice", 64))
    made.close()
    found: list[int] = []
    later = threading.Thread(target=lambda: found.append(torch.get_num_threads()))
    later.start()
    later.join()
    assert (torch.get_num_threads(), found) == (3, [3])


def test_lanes_have_one_torch_thread_each() -> None:
    torch.set_num_threads(2)
    lanes, meet = Lanes(2), threading.Barrier(2, timeout=10)

    def both(_: int) -> tuple[int, int]:
        meet.wait()
        return threading.get_ident(), torch.get_num_threads()

    seen = lanes.map(both, range(2))
    lanes.close()
    assert {count for _, count in seen} == {1}
    assert len({ident for ident, _ in seen}) == 2


def test_the_rest_of_the_process_keeps_its_random_numbers_and_its_pi() -> None:
    state = torch.get_rng_state()
    made = load_engine("torchsynth", synth="voice-fm", threads=1)
    made.render(*sounds("voice-fm", 1))
    made.close()
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.pi == np.pi


def test_the_rest_of_the_process_computes_the_same_while_sounds_are_rendered() -> None:
    torch.set_num_threads(2)
    engine = load_engine("torchsynth", threads=2)
    generator = torch.Generator().manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Conv1d(1, 8, 9), torch.nn.GELU(), torch.nn.Conv1d(8, 8, 9))
    clip = torch.randn(4, 1, 4000, generator=generator)
    alone = network(clip)
    theta, keys = sounds("voice", 256)
    beside = threading.Thread(target=engine.render, args=(theta, keys))
    beside.start()
    together = [network(clip) for _ in range(5)]
    beside.join()
    engine.close()
    assert all(torch.equal(alone, one) for one in together)


def test_one_engine_may_render_from_several_threads() -> None:
    engine = load_engine("torchsynth", threads=2)
    theta, keys = sounds("voice", 64)
    wanted, got = engine.render(theta, keys), []
    callers = [threading.Thread(target=lambda: got.append(engine.render(theta, keys))) for _ in range(3)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    engine.close()
    assert len(got) == 3
    assert all(np.array_equal(wanted, audio) for audio in got)
