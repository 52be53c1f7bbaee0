"""The client's decisions in a world where anything breaks at any time, as hypothesis likes it.

Workers crash, stop, shed load, lose asks, join and leave; what they send is delayed, reordered and repeated; the
consumer pauses. Whatever happens: every block comes exactly once, in order and unchanged, nobody is asked who
is not there, asks stay bounded, and with one worker alive in the end everything comes.
"""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from toy_source import TOY, ToySource

from pairstream.block import PairBlock
from pairstream.exchange import Exchange, Outbox
from pairstream.messages import Busy, Message, Open, Opened, Want
from pairstream.transport import Joined, Lost, Received

SOURCE = ToySource(TOY)
BLOCKS = [SOURCE.render(index) for index in range(400)]
PATIENCE, CREDIT = 10.0, 4
WORKERS = [f"zmq://{name}:1" for name in "abcd"]


class World(RuleBasedStateMachine):
    """Four workers, of which any may be there or not, and one consumer."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.subject = Exchange(TOY, "test", [], PATIENCE, burst=1)
        self.present: set[str] = set()
        self.up: set[str] = set()
        self.stopped: set[str] = set()
        self.shedding: set[str] = set()
        self.inbox: dict[str, list[Message]] = {}
        self.network: list[tuple[str, Message]] = []
        self.lossy = False
        self.ahead = list(range(CREDIT))
        self.received: list[PairBlock] = []

    @initialize(count=st.integers(1, 4))
    def begin(self, count: int) -> None:
        for worker in WORKERS[:count]:
            self.join(worker)
        self.want()

    # What the workers do.

    def send(self, outbox: Outbox) -> None:
        for worker, message in outbox:
            assert worker in self.up, f"{worker} was sent {message} and is not there"
            if self.lossy and isinstance(message, Want):
                continue
            if worker in self.stopped:
                self.inbox[worker].append(message)
            else:
                self.answer(worker, message)

    def answer(self, worker: str, message: Message) -> None:
        if isinstance(message, Open):
            opened = Opened(digest=TOY.digest, layout=SOURCE.layout, fingerprint="toy 1", capacity=len(worker))
            self.network.append((worker, opened))
        elif isinstance(message, Want) and worker in self.shedding:
            busy = Busy(digest=TOY.digest, indices=message.indices, retry_seconds=0.5, reason="too many")
            self.network.append((worker, busy))
        elif isinstance(message, Want):
            self.network += [(worker, BLOCKS[index]) for index in message.indices]

    @rule(worker=st.sampled_from(WORKERS))
    def join(self, worker: str) -> None:
        if worker not in self.present:
            self.present.add(worker)
            self.subject.add(worker)
        if worker not in self.up:
            self.up.add(worker)
            self.inbox[worker] = []
            self.send(self.subject.handle(Joined(worker), self.now))

    @rule(worker=st.sampled_from(WORKERS))
    def crash(self, worker: str) -> None:
        if worker in self.up:
            self.gone(worker)
            self.send(self.subject.handle(Lost(worker, "killed"), self.now))

    @rule(worker=st.sampled_from(WORKERS))
    def leave(self, worker: str) -> None:
        if worker in self.present:
            self.gone(worker)
            self.present.discard(worker)
            self.send(self.subject.remove(worker, self.now))

    def gone(self, worker: str) -> None:
        for crowd in (self.up, self.stopped, self.shedding):
            crowd.discard(worker)
        self.network = [(sender, message) for sender, message in self.network if sender != worker]

    @rule(worker=st.sampled_from(WORKERS))
    def stop(self, worker: str) -> None:
        if worker in self.up:
            self.stopped.add(worker)

    @rule(worker=st.sampled_from(WORKERS))
    def go_on(self, worker: str) -> None:
        if worker in self.stopped:
            self.stopped.discard(worker)
            for message in self.inbox[worker]:
                self.answer(worker, message)
            self.inbox[worker] = []

    @rule(worker=st.sampled_from(WORKERS), is_busy=st.booleans())
    def shed(self, worker: str, is_busy: bool) -> None:
        (self.shedding.add if is_busy and worker in self.up else self.shedding.discard)(worker)

    @rule(lossy=st.booleans())
    def lose(self, lossy: bool) -> None:
        self.lossy = lossy

    # What the network and the consumer do.

    @precondition(lambda self: self.network)
    @rule(data=st.data(), repeat=st.booleans())
    def deliver(self, data: st.DataObject, repeat: bool) -> None:
        position = data.draw(st.integers(0, len(self.network) - 1))
        worker, message = self.network[position] if repeat else self.network.pop(position)
        if worker not in self.stopped:
            self.send(self.subject.handle(Received(worker, message), self.now))

    @rule(seconds=st.sampled_from([0.01, 0.2, 1.0, PATIENCE + 1]))
    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.send(self.subject.tick(self.now))

    @rule(seconds=st.sampled_from([1.0, 100.0]))
    def pause(self, seconds: float) -> None:
        self.now += seconds
        self.subject.pause(seconds)

    @rule()
    def step(self) -> None:
        if self.subject.has(self.ahead[0]):
            self.received.append(self.subject.take(self.ahead.pop(0)))
            self.ahead.append(self.ahead[-1] + 1)
            self.want()

    @rule(count=st.integers(1, 8))
    def run_smoothly(self, count: int) -> None:
        """Everybody who can does, so that latencies are known."""
        for _ in range(count):
            while answers := [entry for entry in self.network if entry[0] not in self.stopped]:
                self.network.remove(answers[0])
                self.send(self.subject.handle(Received(*answers[0]), self.now))
            self.step()

    def want(self) -> None:
        self.send(self.subject.want(self.ahead, self.now))

    # What must hold.

    @invariant()
    def every_block_once_in_order_and_unchanged(self) -> None:
        assert [block.index for block in self.received] == list(range(len(self.received)))
        assert all(block is BLOCKS[block.index] for block in self.received)

    @invariant()
    def asks_are_bounded(self) -> None:
        counts, wanted = self.subject.counts, len(self.received) + CREDIT
        assert counts["hedges"] <= 1 + 0.1 * wanted
        assert counts["asks"] <= wanted + counts["hedges"] + counts["reasks"]

    def teardown(self) -> None:
        """One worker lives, the others may be dead or stopped: all that is wanted comes, in bounded time."""
        if not self.received and not self.present:
            self.join(WORKERS[0])
        self.lossy = False
        survivor = next(iter(sorted(self.up)), WORKERS[0])
        self.join(survivor)
        self.go_on(survivor)
        self.shedding.discard(survivor)
        goal = self.ahead[-1] + 1
        for _ in range(60):
            self.run_smoothly(CREDIT)
            self.wait(1.0)
            if len(self.received) >= goal:
                break
        assert len(self.received) >= goal, self.subject.situation(self.ahead[0])
        self.every_block_once_in_order_and_unchanged()


TestWorld = pytest.mark.timeout(120)(World.TestCase)
TestWorld.settings = settings(max_examples=120, stateful_step_count=60)
