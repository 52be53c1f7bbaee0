"""The client's decisions under loss, reorder, duplication and crash: no socket, no clock, any schedule."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from toy_source import TOY, ToySource

from pairstream.block import PairBlock
from pairstream.errors import (
    ProtocolError,
    RefusedError,
    RenderError,
    StreamTimeoutError,
    WorkerUnavailableError,
)
from pairstream.exchange import Exchange, Outbox
from pairstream.messages import Bye, Failed, Message, Open, Opened, Refused, Want
from pairstream.routing import preference
from pairstream.transport import Event, Garbled, Joined, Lost, Received

A, B = "zmq://a:1", "zmq://b:1"
SOURCE = ToySource(TOY)
OPENED = Opened(digest=TOY.digest, layout=SOURCE.layout, fingerprint="toy 1")
PATIENCE = 10.0


def exchange(*workers: str) -> Exchange:
    return Exchange(TOY, "test", workers, PATIENCE)


def opened(*workers: str) -> Exchange:
    subject = exchange(*workers)
    for worker in workers:
        assert [type(message) for _, message in subject.handle(Joined(worker), 0.0)] == [Open]
        subject.handle(Received(worker, OPENED), 0.0)
    return subject


def asked(outbox: Outbox) -> dict[str, tuple[int, ...]]:
    return {worker: message.indices for worker, message in outbox if isinstance(message, Want)}


def test_blocks_are_asked_for_once_and_of_the_preferred_worker():
    subject = opened(A, B)
    asks = asked(subject.want(range(20), 0.0))
    assert sorted(asks[A] + asks[B]) == list(range(20))
    for worker, indices in asks.items():
        assert all(preference(TOY.digest, index, {A: 1, B: 1})[0] == worker for index in indices)
    assert subject.want(range(20), 1.0) == []


def test_nothing_is_asked_before_a_worker_has_opened_the_stream():
    subject = exchange(A)
    assert subject.want([0, 1], 0.0) == []
    subject.handle(Joined(A), 0.0)
    assert asked(subject.handle(Received(A, OPENED), 0.0)) == {A: (0, 1)}


def test_what_a_lost_worker_owed_is_asked_of_another():
    subject = opened(A, B)
    asks = asked(subject.want(range(20), 0.0))
    assert asked(subject.handle(Lost(A, "the connection broke"), 1.0)) == {B: asks[A]}


def test_what_the_only_worker_owed_is_asked_again_when_it_is_back():
    subject = opened(A)
    subject.want([3, 4], 0.0)
    assert subject.handle(Lost(A, "the connection broke"), 1.0) == []
    assert isinstance(subject.expired(3, 9.0), WorkerUnavailableError)
    subject.handle(Joined(A), 2.0)
    assert asked(subject.handle(Received(A, OPENED), 2.0)) == {A: (3, 4)}


def test_a_worker_that_says_bye_is_asked_no_more():
    subject = opened(A, B)
    asks = asked(subject.want(range(20), 0.0))
    assert asked(subject.handle(Received(A, Bye(reason="draining")), 1.0)) == {B: asks[A]}
    assert asked(subject.want(range(20, 30), 1.0)) == {B: tuple(range(20, 30))}


def test_an_overdue_block_is_asked_of_another_worker_and_whichever_comes_first_counts():
    subject = opened(A, B)
    (first,) = asked(subject.want([0], 0.0))
    (other,) = {A, B} - {first}
    assert subject.tick(PATIENCE - 1) == []
    assert asked(subject.tick(PATIENCE + 1)) == {other: (0,)}
    subject.handle(Received(first, SOURCE.render(0)), PATIENCE + 2)
    assert subject.take(0).index == 0
    subject.want([1], PATIENCE + 2)
    subject.handle(Received(other, SOURCE.render(0)), PATIENCE + 3)
    assert not subject.has(0)


def test_a_block_that_nobody_wants_any_more_is_dropped():
    subject = opened(A)
    subject.want([0, 1], 0.0)
    subject.want([1], 0.0)
    subject.handle(Received(A, SOURCE.render(0)), 0.0)
    assert not subject.has(0)


def test_a_failed_block_is_tried_elsewhere_before_it_is_an_error():
    subject = opened(A, B)
    (first,) = asked(subject.want([0], 0.0))
    (other,) = {A, B} - {first}
    failed = Failed(digest=TOY.digest, index=0, reason="out of memory")
    assert asked(subject.handle(Received(first, failed), 0.0)) == {other: (0,)}
    assert subject.verdict(0) is None
    subject.handle(Received(other, failed), 0.0)
    assert isinstance(subject.verdict(0), RenderError)
    assert "out of memory" in str(subject.verdict(0))
    assert subject.verdict(1) is None


def test_what_a_worker_says_of_an_ask_before_it_joined_again_is_no_failure():
    subject = opened(A)
    subject.want([0], 0.0)
    subject.handle(Joined(A), 1.0)
    subject.handle(Received(A, Failed(digest=TOY.digest, index=0, reason="not open here")), 1.0)
    assert subject.verdict(0) is None
    assert asked(subject.handle(Received(A, OPENED), 1.0)) == {A: (0,)}


def test_what_failed_is_asked_for_anew_once_the_consumer_was_told():
    subject = opened(A)
    subject.want([0], 0.0)
    subject.handle(Received(A, Failed(digest=TOY.digest, index=0, reason="out of memory")), 0.0)
    assert isinstance(subject.verdict(0), RenderError)
    subject.forgive(0)
    assert subject.verdict(0) is None
    assert asked(subject.want([0], 1.0)) == {A: (0,)}


def test_only_a_refusal_by_all_workers_is_final():
    subject = exchange(A, B)
    for worker in (A, B):
        assert subject.verdict() is None
        subject.handle(Joined(worker), 0.0)
        subject.handle(Received(worker, Refused(digest=TOY.digest, reason="no such synth")), 0.0)
    assert isinstance(subject.verdict(), RefusedError)
    assert "zmq://a:1: no such synth" in str(subject.verdict())


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (replace(OPENED, fingerprint="toy 2"), "bytes would differ"),
        (replace(OPENED, digest="cd" * 32), "not asked for"),
        (replace(OPENED, layout=replace(SOURCE.layout, samples=7)), "not asked for"),
    ],
)
def test_a_worker_whose_bytes_would_differ_is_not_used(wrong: Opened, says: str):
    subject = opened(A)
    subject.add(B)
    subject.handle(Joined(B), 0.0)
    subject.handle(Received(B, wrong), 0.0)
    assert asked(subject.want(range(20), 0.0)) == {A: tuple(range(20))}
    assert says in subject.situation(None)


def test_a_block_of_another_layout_than_promised_is_not_used():
    subject = opened(A)
    subject.want([0], 0.0)
    other = ToySource(replace(TOY, block_pairs=2)).render(0)
    subject.handle(Received(A, replace(other, digest=TOY.digest)), 0.0)
    assert not subject.has(0)
    assert "layout" in str(subject.verdict())


@pytest.mark.parametrize(
    "event",
    [
        Received(A, Want(digest=TOY.digest, indices=(), experiment="x")),
        Garbled(A, ProtocolError("a message whose header is not msgpack")),
    ],
)
def test_a_worker_that_talks_nonsense_is_used_no_more(event: Event):
    alone, helped = opened(A), opened(A, B)
    assert alone.handle(event, 0.0) == []
    assert isinstance(alone.verdict(), ProtocolError)
    assert A in str(alone.verdict())
    helped.handle(event, 0.0)
    assert helped.verdict() is None
    assert asked(helped.want(range(5), 0.0)) == {B: tuple(range(5))}


def test_the_reason_for_a_wait_names_block_worker_and_time():
    subject = opened(A)
    subject.want([7], 0.0)
    error = subject.expired(7, 12.0)
    assert isinstance(error, StreamTimeoutError)
    for part in ("12.0 s", "block 7", TOY.digest[:12], A):
        assert part in str(error)


class _Network:
    """Two workers that lose, delay, repeat and reorder as hypothesis says, and crash and come back."""

    def __init__(self, draw: st.DataObject) -> None:
        self.draw = draw
        self.alive = {A: False, B: False}
        self.queue: list[tuple[str, Message]] = []

    def deliver(self, outbox: Outbox) -> None:
        for worker, message in outbox:
            if not self.alive[worker] or self.draw.draw(st.integers(0, 9)) == 0:
                continue
            if isinstance(message, Open):
                self.queue.append((worker, OPENED))
            elif isinstance(message, Want):
                self.queue += [(worker, SOURCE.render(index)) for index in message.indices]

    def event(self) -> Event | None:
        kind = self.draw.draw(st.sampled_from(["message", "message", "message", "repeat", "flip"]))
        if kind == "flip":
            worker = self.draw.draw(st.sampled_from([A, B]))
            self.alive[worker] = not self.alive[worker]
            return Joined(worker) if self.alive[worker] else Lost(worker, "killed")
        if not self.queue:
            return None
        position = self.draw.draw(st.integers(0, len(self.queue) - 1))
        worker, message = self.queue[position] if kind == "repeat" else self.queue.pop(position)
        return Received(worker, message) if self.alive[worker] else None


@given(st.data())
def test_whatever_happens_every_block_comes_once_in_order_and_unchanged(data: st.DataObject):
    network, subject = _Network(data), exchange(A, B)
    received: list[PairBlock] = []
    ahead = list(range(3))
    now = 0.0
    for worker in (A, B):
        network.alive[worker] = True
        network.deliver(subject.handle(Joined(worker), now))
    for _ in range(data.draw(st.integers(0, 60))):
        now += data.draw(st.sampled_from([0.0, 1.0, PATIENCE + 1]))
        network.deliver(subject.want(ahead, now))
        if event := network.event():
            network.deliver(subject.handle(event, now))
        network.deliver(subject.tick(now))
        while subject.has(ahead[0]):
            received.append(subject.take(ahead.pop(0)))
            ahead.append(ahead[-1] + 1)
    assert [block.index for block in received] == list(range(len(received)))
    assert all(block.sha256() == SOURCE.render(block.index).sha256() for block in received)
    # And however it stands now: once the network behaves, every block on the way is asked for, and comes.
    later = now + 2 * PATIENCE
    asks = [subject.want(ahead, later), subject.tick(later)]
    asks += [subject.handle(event, later) for event in (Joined(A), Received(A, OPENED), Lost(B, "gone for good"))]
    wanted = {index for outbox in asks for worker, indices in asked(outbox).items() if worker == A for index in indices}
    for index in ahead:
        assert index in wanted or subject.has(index)
        subject.handle(Received(A, SOURCE.render(index)), later)
        assert subject.take(index).index == index


def test_a_worker_that_never_answers_open_is_asked_again():
    subject = exchange(A)
    subject.handle(Joined(A), 0.0)
    assert subject.tick(PATIENCE - 1) == []
    assert [type(message) for _, message in subject.tick(PATIENCE + 1)] == [Open]
    assert subject.tick(PATIENCE + 2) == []
