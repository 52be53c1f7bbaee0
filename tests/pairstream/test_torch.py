"""PairStream under a DataLoader: every block once, and a state that says exactly where the consumer stands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader
from toy_source import TOY, ToySource, open_toy

from pairstream import connect
from pairstream.cursor import Cursor
from pairstream.deck import Deck
from pairstream.errors import ConfigError, RefusedError
from pairstream.torch import PairBatch, PairStream
from synth_server.config import ServeSettings
from synth_server.metrics import WorkerMetrics
from synth_server.server import Server

SOURCE = ToySource(TOY)

# PyTorch tells that a worker process of a DataLoader is killed with its parent's threads alive; not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    settings = ServeSettings(
        bind="tcp://127.0.0.1:0", grpc="127.0.0.1:0", http="127.0.0.1:0", drain_seconds=2, capacity=1
    )
    with Server(settings, open_toy, WorkerMetrics()) as server:
        yield server.addresses.data


def loader(stream: PairStream, workers: int) -> DataLoader[PairBatch]:
    return DataLoader(stream, batch_size=None, num_workers=workers)


@pytest.mark.parametrize("workers", [0, 1])
def test_blocks_arrive_as_tensors_bit_for_bit(url: str, workers: int):
    for index, batch in enumerate(islice(loader(PairStream(url, TOY, timeout=10), workers), 5)):
        block = SOURCE.render(index)
        assert batch.index == index
        assert np.array_equal(batch.theta.numpy(), block.theta)
        assert np.array_equal(batch.audio.numpy(), block.audio)
        assert torch.equal(batch.a, batch.audio[:, 0])
        assert torch.equal(batch.b, batch.audio[:, 1])


@pytest.mark.parametrize("workers", [0, 1])
def test_the_state_is_where_the_consumer_stands_not_where_the_loader_has_read_to(url: str, workers: int):
    stream = PairStream(url, TOY, start=3, timeout=10)
    assert stream.state_dict() == {"next": 3, "fingerprint": ""}
    iterator = iter(loader(stream, workers))
    for expected in (3, 4, 5):
        batch = next(iterator)
        assert batch.index == expected
        assert (
            stream.state_dict()
            == stream.state_after(batch)
            == {
                "next": expected + 1,
                "fingerprint": "toy 1",
            }
        )


@pytest.mark.parametrize("workers", [0, 1])
def test_a_resumed_stream_goes_on_with_the_very_next_block(url: str, workers: int, tmp_path: Path):
    stream = PairStream(url, TOY, timeout=10)
    before = [batch.index for batch in islice(loader(stream, workers), 4)]
    torch.save(stream.state_dict(), tmp_path / "state.pt")
    resumed = PairStream(url, TOY, timeout=10)
    resumed.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    after = [batch.index for batch in islice(loader(resumed, workers), 4)]
    assert before + after == list(range(8))


#: A worker process that raised is given 5 s by PyTorch to be gone.
@pytest.mark.parametrize("workers", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_a_resumed_stream_is_of_the_same_arithmetic_or_none(url: str, workers: int):
    stream = PairStream(url, TOY, timeout=10)
    stream.load_state_dict({"next": 4, "fingerprint": "toy 0"})
    iterator = iter(loader(stream, workers))
    with pytest.raises(RefusedError, match=r"computes with \[toy 1\], this stream so far with \[toy 0\]"):
        next(iterator)
    stream.load_state_dict({"next": 4})
    assert next(iter(loader(stream, 0))).index == 4


def test_iterating_again_goes_on_and_does_not_start_over(url: str):
    stream = PairStream(url, TOY, timeout=10)
    indices = [batch.index for _ in range(3) for batch in islice(loader(stream, 0), 2)]
    assert indices == list(range(6))


@pytest.mark.slow
def test_a_worker_process_that_has_read_ahead_is_not_used_again(url: str):
    stream = PairStream(url, TOY, timeout=10)
    first = [batch.index for batch in islice(loader(stream, 0), 2)]
    assert first + [batch.index for batch in islice(loader(stream, 1), 2)] == [0, 1, 2, 3]
    kept = DataLoader(stream, batch_size=None, num_workers=1, persistent_workers=True)
    assert [batch.index for batch in islice(kept, 2)] == [4, 5]
    with pytest.raises(ConfigError, match="persistent_workers=True"):
        next(iter(kept))


def test_ranks_never_see_the_same_block(url: str):
    streams = [PairStream(url, TOY, timeout=10, rank=rank, world=3) for rank in range(3)]
    taken = [[batch.index for batch in islice(stream, 4)] for stream in streams]
    assert taken == [[0, 3, 6, 9], [1, 4, 7, 10], [2, 5, 8, 11]]
    assert {stream.state_dict()["next"] for stream in streams} == {12}


@pytest.mark.parametrize("batch_pairs", [2, 4, 12])
@pytest.mark.parametrize("workers", [0, 1])
def test_global_batches_are_the_same_for_two_ranks_and_then_one(url: str, batch_pairs: int, workers: int):
    expected = np.concatenate([SOURCE.render(index).theta for index in range(18)])
    state: dict[str, object] = {"next": 0}
    seen = []
    for world in (2, 1, 2):
        ranks = []
        for rank in range(world):
            stream = PairStream(url, TOY, timeout=10, batch_pairs=batch_pairs, rank=rank, world=world)
            stream.load_state_dict(state)
            ranks.append([batch.theta.numpy() for batch in islice(loader(stream, workers), 2)])
            last = stream.state_dict()
        seen += [np.concatenate([rank[step] for rank in ranks]) for step in range(2)]
        state = last
    assert np.array_equal(np.concatenate(seen), expected[: 6 * batch_pairs])


def test_a_batch_of_a_divisor_is_a_view_of_its_block(url: str):
    first, second = islice(loader(PairStream(url, TOY, timeout=10, batch_pairs=2), 0), 2)
    assert (first.index, first.pair, second.index, second.pair) == (0, 0, 0, 2)
    assert second.audio.data_ptr() == first.audio.data_ptr() + first.audio.nbytes


def test_live_joins_the_others_at_the_head_and_its_state_replays_what_it_saw():
    settings = ServeSettings(bind="tcp://127.0.0.1:0", grpc="127.0.0.1:0", http="127.0.0.1:0", capacity=1)
    with Server(settings, open_toy, WorkerMetrics()) as server:
        url = server.addresses.data
        with connect(url, TOY, experiment="leader", timeout=10) as leader:
            ahead = leader.blocks(stop=300)
            list(islice(ahead, 100))
            stream = PairStream(
                url, TOY, start="head", follow="live", max_lag=8, timeout=10, credit_bytes=TOY.audio_bytes
            )
            batches = iter(stream)
            seen = [batch.index for batch in islice(batches, 5)]
            assert seen == list(range(seen[0], seen[0] + 5))
            assert seen[0] >= 99
            list(ahead)
            while seen[-1] < 299:  # the head is asked for once a second; until then it goes on as it was
                seen.append(next(batches).index)
            batches.close()
        state = stream.state_dict()
        assert len(state["gaps"]) == 1 + (seen[5:] != list(range(seen[5], 300)))
        assert list(Cursor.from_state_dict(state).taken()) == seen
        with connect(url, TOY, timeout=10) as replay:
            assert [block.index for block in replay.follow(Cursor.from_state_dict(state).taken())] == seen


def test_the_head_of_a_stream_that_nobody_reads_is_its_beginning(url: str):
    spec = replace(TOY, seed=77)
    assert next(iter(PairStream(url, spec, start="head", timeout=10))).index == 0


@pytest.mark.parametrize("workers", [0, 1])
def test_what_the_client_measured_reaches_the_consumer(url: str, workers: int):
    stream = PairStream(url, TOY, timeout=10)
    assert stream.stats() is None
    list(islice(loader(stream, workers), 5))
    stats = stream.stats()
    assert stats is not None
    assert stats.steps >= 5
    assert set(stats.received) == {url}
    assert stats.workers == 1


@pytest.mark.parametrize(
    ("url_of_none", "workers", "says"), [("local://", 2, "num_workers=2"), ("nowhere", 1, "not a stream's URL")]
)
def test_an_error_in_a_worker_process_reaches_the_consumer(
    url_of_none: str, workers: int, says: str, monkeypatch: pytest.MonkeyPatch
):
    # PyTorch looks only every 5 s whether a worker process whose dataset has raised may end.
    for module in ("torch.utils.data._utils", "torch.utils.data._utils.worker"):
        monkeypatch.setattr(f"{module}.MP_STATUS_CHECK_INTERVAL", 0.2)
    iterator = iter(loader(PairStream(url_of_none, TOY), workers))
    with pytest.raises(ConfigError, match=says):
        next(iterator)
    iterator._shutdown_workers()  # type: ignore[attr-defined]


def test_a_batch_moves_as_a_whole():
    block = SOURCE.render(0)
    batch = PairBatch(0, torch.from_numpy(block.theta), torch.from_numpy(block.audio))
    moved = batch.to("meta")
    assert (moved.index, moved.theta.device.type, moved.audio.device.type) == (0, "meta", "meta")
    assert moved.audio.shape == (4, 2, 32)


@pytest.mark.parametrize("size", [1, 2, 7])
@pytest.mark.parametrize("workers", [0, 1])
def test_a_pool_is_read_again_and_again_in_the_order_of_its_deck(url: str, workers: int, size: int):
    deck = Deck(size=size, seed=3)
    stream = PairStream(url, TOY, pool=deck, start=5, timeout=10)
    for place, batch in zip(range(5, 20), loader(stream, workers), strict=False):
        assert np.array_equal(batch.audio.numpy(), SOURCE.render(deck.index(place)).audio)
        assert batch.index == place
        assert stream.state_after(batch)["next"] == place + 1


@pytest.mark.parametrize("settings", [{"follow": "live"}, {"start": "head"}])
def test_a_pool_has_no_head_to_follow(settings: dict[str, str]):
    with pytest.raises(ConfigError, match="a pool has no head; follow exactly, from an index"):
        PairStream("local://", TOY, pool=Deck(size=3), **settings)  # type: ignore[arg-type]
