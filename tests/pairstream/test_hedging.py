"""What is late is asked for twice, within bounds; a worker that says nothing, or is busy, is asked last."""

from __future__ import annotations

from itertools import pairwise

import pytest
from toy_source import TOY, ToySource

from pairstream.errors import StreamTimeoutError
from pairstream.exchange import Exchange, Outbox
from pairstream.hedging import HEDGE_SHARE
from pairstream.latency import ENOUGH, FACTOR, FLOOR_SECONDS, Latencies
from pairstream.messages import Busy, Open, Opened, Want
from pairstream.transport import Joined, Received

A, B = "zmq://a:1", "zmq://b:1"
SOURCE = ToySource(TOY)
OPENED = Opened(digest=TOY.digest, layout=SOURCE.layout, fingerprint="toy 1")
PATIENCE, TOOK = 60.0, 0.2
LIMIT = FACTOR * TOOK


def asked(outbox: Outbox) -> dict[str, tuple[int, ...]]:
    return {worker: message.indices for worker, message in outbox if isinstance(message, Want)}


def opens(outbox: Outbox) -> list[str]:
    return [worker for worker, message in outbox if isinstance(message, Open)]


class Scene:
    """An exchange with workers of which each block so far took `TOOK` seconds."""

    def __init__(self, *workers: str, burst: int = 16, blocks: int = 4 * ENOUGH) -> None:
        self.subject = Exchange(TOY, "test", workers, PATIENCE, burst=burst)
        self.now, self.next = 0.0, blocks
        for worker in workers:
            self.subject.handle(Joined(worker), 0.0)
            self.subject.handle(Received(worker, OPENED), 0.0)
        for index in range(blocks):
            ((worker, _),) = self.want(index).items()
            self.now += TOOK
            self.come(worker, index)
            self.subject.take(index)

    def want(self, *indices: int) -> dict[str, tuple[int, ...]]:
        return asked(self.subject.want(indices, self.now))

    def come(self, worker: str, index: int) -> Outbox:
        return self.subject.handle(Received(worker, SOURCE.render(index)), self.now)

    def after(self, seconds: float) -> Outbox:
        self.now += seconds
        return self.subject.tick(self.now)

    def wanted_of(self, worker: str, count: int) -> list[int]:
        """Indices that this worker is asked for first."""
        indices = range(self.next, self.next + 64)
        return list(asked(self.subject.want(indices, self.now))[worker][:count])


def test_a_late_block_is_asked_of_another_and_whichever_comes_first_counts():
    scene = Scene(A, B)
    late, other = scene.wanted_of(A, 2)
    scene.want(late, other)
    assert asked(scene.after(LIMIT * 0.6)) == {}
    scene.come(A, other)
    assert asked(scene.after(LIMIT * 0.6)) == {B: (late,)}
    assert asked(scene.after(LIMIT * 0.6)) == {}
    scene.come(B, late)
    assert scene.subject.take(late).index == late
    scene.come(A, late)
    assert not scene.subject.has(late)
    assert (scene.subject.counts["hedges"], scene.subject.counts["duplicates"]) == (1, 1)


def test_what_a_stopped_worker_owes_and_what_is_new_is_asked_of_the_others_until_it_speaks():
    scene = Scene(A, B)
    owed = scene.wanted_of(A, 4)
    scene.want(*owed)
    outbox = scene.after(LIMIT * 1.1)
    assert asked(outbox) == {B: tuple(owed)}
    assert opens(outbox) == []
    more = scene.next + 64
    assert set(scene.want(*range(more, more + 20))) == {B}
    scene.subject.handle(Received(A, OPENED), scene.now)
    assert set(scene.want(*range(more + 20, more + 40))) == {A, B}


def test_a_mute_worker_is_spoken_to_ever_more_rarely():
    scene = Scene(A, B)
    scene.want(*scene.wanted_of(A, 1))
    scene.after(LIMIT * 1.1)
    spoken = [step for step in range(400) if A in opens(scene.after(0.1))]
    assert 4 <= len(spoken) <= 10
    pauses = [later - earlier for earlier, later in pairwise(spoken)]
    assert pauses == sorted(pauses)


def test_if_all_are_mute_they_are_asked_all_the_same():
    scene = Scene(A)
    scene.want(scene.next)
    scene.after(LIMIT * 1.1)
    assert scene.want(scene.next, scene.next + 1) == {A: (scene.next + 1,)}


def test_no_more_is_asked_twice_than_first_asks_have_earned():
    scene = Scene(A, B, burst=2)
    owed = scene.wanted_of(A, 8)
    scene.want(*owed)
    assert asked(scene.after(LIMIT * 1.1)) == {B: tuple(owed[:2])}
    assert asked(scene.after(LIMIT * 0.1)) == {}
    for index in owed[:2]:
        scene.come(B, index)
    scene.want(*owed[2:], *range(1_000, 1_000 + round(3 / HEDGE_SHARE)))
    assert asked(scene.after(LIMIT * 0.1)) == {B: tuple(owed[2:4])}


def test_if_everybody_is_slow_the_limit_follows():
    """Blocks come one by one, later and later: an overload, in which asking twice would make it worse."""
    rounds, credit, burst = 60, 8, 4
    scene = Scene(A, B, burst=burst)
    twice = 0
    for _ in range(rounds):
        asks = scene.want(*range(scene.next, scene.next + credit))
        scene.next += credit
        for step in range(credit):
            for worker, owed in asks.items():
                for index in owed[step : step + 1]:
                    scene.come(worker, index)
            twice += sum(map(len, asked(scene.after(LIMIT)).values()))
    assert twice <= burst + HEDGE_SHARE * rounds * credit


def test_before_latencies_are_known_only_patience_helps():
    scene = Scene(A, B, blocks=ENOUGH - 1)
    scene.want(*range(100, 110))
    assert asked(scene.after(PATIENCE * 0.9)) == {}
    assert len(asked(scene.after(PATIENCE * 0.2))) == 2


def test_a_consumer_that_pauses_makes_no_worker_look_slow():
    scene = Scene(A, B)
    scene.want(*range(scene.next, scene.next + 8))
    scene.now += 1_000.0
    scene.subject.pause(1_000.0)
    assert scene.after(LIMIT * 0.5) == []


def test_a_worker_that_stops_again_and_again_is_found_out_as_quickly_each_time():
    scene = Scene(A, B)
    for _ in range(6):
        owed = scene.wanted_of(A, 6)
        scene.want(*owed)
        assert asked(scene.after(LIMIT * 0.9)) == {}
        assert asked(scene.after(LIMIT * 0.2)) == {B: tuple(owed)}
        for index in owed:
            scene.come(B, index)
        scene.now += 100 * TOOK
        for index in owed:
            scene.come(A, index)
        scene.next += 64
        for index in range(scene.next, scene.next + 80):  # what the hedges cost is earned again
            ((worker, _),) = scene.want(index).items()
            scene.now += TOOK
            scene.come(worker, index)
        scene.next += 80


def test_a_worker_that_is_slower_than_it_was_is_believed_once_its_late_blocks_come():
    scene = Scene(A, B)
    for _ in range(5):
        (late,) = scene.wanted_of(A, 1)
        scene.want(late)
        scene.subject.handle(Received(A, OPENED), scene.now + 1.5 * LIMIT)
        scene.after(2 * LIMIT)
        scene.come(B, late)
        scene.come(A, late)
        scene.next += 64
    (late,) = scene.wanted_of(A, 1)
    scene.want(late)
    assert asked(scene.after(1.5 * LIMIT)) == {}


def test_the_limit_is_of_the_worker_itself_and_of_all_for_a_stranger():
    latencies = Latencies(ceiling=30.0)
    assert latencies.limit(A) == 30.0
    for _ in range(ENOUGH):
        latencies.note(A, 1.0)
    assert latencies.limit(A) == latencies.limit(B) == FACTOR
    for _ in range(ENOUGH):
        latencies.note(B, 0.001)
    assert (latencies.limit(A), latencies.limit(B)) == (FACTOR, FLOOR_SECONDS)
    for _ in range(100):
        latencies.note(A, 100.0)
    assert latencies.limit(A) == 30.0


def busy(*indices: int, seconds: float = 2.0) -> Busy:
    return Busy(digest=TOY.digest, indices=indices, retry_seconds=seconds, reason="9 experiments wait")


def test_what_a_busy_worker_drops_is_asked_of_another_and_it_is_left_alone_for_a_while():
    scene = Scene(A, B)
    dropped = scene.wanted_of(A, 3)
    scene.want(*dropped)
    assert asked(scene.subject.handle(Received(A, busy(*dropped)), scene.now)) == {B: tuple(dropped)}
    assert set(scene.want(*range(500, 520))) == {B}
    scene.now += 2.1
    assert set(scene.want(*range(520, 540))) == {A, B}


@pytest.mark.parametrize(("said", "meant"), [(0.0, 0.1), (2.0, 2.0), (3_600.0, 30.0)])
def test_if_all_are_busy_they_are_asked_again_when_they_said_within_bounds(said: float, meant: float):
    scene = Scene(A)
    scene.want(50, 51)
    assert asked(scene.subject.handle(Received(A, busy(50, 51, seconds=said)), scene.now)) == {}
    assert scene.subject.verdict(50) is None
    error = scene.subject.expired(50, 9.0)
    assert isinstance(error, StreamTimeoutError)
    assert "busy: 9 experiments wait" in str(error)
    assert asked(scene.after(meant * 0.9)) == {}
    assert asked(scene.after(meant * 0.2)) == {A: (50, 51)}


def test_a_worker_that_sheds_everything_is_asked_at_a_bounded_rate():
    scene = Scene(A)
    scene.want(50)
    for _ in range(100):
        outbox = scene.subject.handle(Received(A, busy(50, seconds=0.0)), scene.now) + scene.after(0.05)
        assert opens(outbox) == []
    assert scene.subject.counts["asks"] <= 4 * ENOUGH + 1 + 100 * 0.05 / 0.1 + 1


def test_a_wait_names_everyone_who_was_asked_and_since_when():
    scene = Scene(A, B)
    (index,) = scene.wanted_of(A, 1)
    scene.want(index)
    scene.after(LIMIT * 1.5)
    scene.after(1.0)
    assert f"asked of {A} 1.6 s ago and of {B} 1.0 s ago" in scene.subject.situation(index)
