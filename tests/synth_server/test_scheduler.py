"""Fair turns and single flight, for any order of asks, answers and departures."""

from __future__ import annotations

from collections import Counter

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from synth_server.quota import Bounds
from synth_server.scheduler import Scheduler


def key(index: int) -> tuple[str, int]:
    return ("stream", index)


def test_experiments_take_turns_however_greedy_one_is():
    scheduler = Scheduler(asks_per_client=100)
    for index in range(50):
        scheduler.ask(b"greedy", "greedy", key(index))
    for index in range(1_000, 1_003):
        scheduler.ask(b"modest", "modest", key(index))
    order = [scheduler.next() for _ in range(7)]
    assert order == [key(0), key(1_000), key(1), key(1_001), key(2), key(1_002), key(3)]


def test_what_a_greedy_experiment_asked_for_last_is_rendered_first_for_one_that_has_its_turn():
    scheduler = Scheduler(asks_per_client=100)
    for index in range(50):
        scheduler.ask(b"greedy", "greedy", key(index))
    scheduler.ask(b"modest", "modest", key(49))
    assert [scheduler.next() for _ in range(3)] == [key(0), key(49), key(1)]
    assert set(scheduler.done(key(49))) == {b"greedy", b"modest"}


def test_a_block_that_many_wait_for_is_rendered_once_and_given_to_all():
    scheduler = Scheduler(asks_per_client=8)
    for client in (b"1", b"2", b"3"):
        assert not scheduler.ask(client, f"experiment {client.decode()}", key(7))
    assert scheduler.next() == key(7)
    assert not scheduler.ask(b"4", "late", key(7))
    assert scheduler.next() is None
    assert set(scheduler.done(key(7))) == {b"1", b"2", b"3", b"4"}
    assert scheduler.done(key(7)) == {}


def test_a_block_in_the_making_is_not_begun_again_for_one_who_asks_after_all_others_have_left():
    scheduler = Scheduler()
    scheduler.ask(b"gone", "e", key(0))
    assert scheduler.next() == key(0)
    scheduler.forget(b"gone")
    scheduler.ask(b"new", "e", key(0))
    assert scheduler.next() is None
    assert scheduler.done(key(0)) == {b"new": "e"}


def test_asking_twice_counts_once_and_the_bound_is_per_client():
    scheduler = Scheduler(asks_per_client=2)
    assert not any(scheduler.ask(b"1", "e", key(index)) for index in (0, 0, 1, 1))
    refusal = scheduler.ask(b"1", "e", key(2))
    assert refusal
    assert refusal.bound == "client_blocks"
    assert "lower the credit" in refusal.reason
    assert not scheduler.ask(b"2", "e", key(2))
    scheduler.done(key(0))
    assert not scheduler.ask(b"1", "e", key(3))


def test_what_only_a_departed_client_waited_for_is_not_rendered():
    scheduler = Scheduler(asks_per_client=8)
    scheduler.ask(b"gone", "e", key(0))
    scheduler.ask(b"gone", "e", key(1))
    scheduler.ask(b"here", "e", key(1))
    scheduler.forget(b"gone")
    assert [scheduler.next(), scheduler.next()] == [key(1), None]


def test_bytes_are_bounded_for_a_client_but_one_block_may_always_wait():
    scheduler = Scheduler(bounds=Bounds(client_bytes=10))
    assert not scheduler.ask(b"1", "e", key(0), 100)
    refusal = scheduler.ask(b"1", "e", key(1), 1)
    assert refusal
    assert refusal.bound == "client_bytes"
    assert scheduler.nbytes == 100
    scheduler.forget(b"1")
    assert scheduler.nbytes == 0


def test_there_is_always_room_for_one_who_comes_later_however_many_clients_a_greedy_experiment_has():
    scheduler = Scheduler(bounds=Bounds(blocks=16, client_blocks=4))
    taken = Counter(
        experiment
        for experiment in ("greedy", "greedy too")
        for index in range(400)
        if not scheduler.ask(f"{experiment} {index % 100}".encode(), experiment, key(index))
    )
    assert taken["greedy"] == 8
    assert 0 < taken["greedy too"] <= 4
    assert not scheduler.ask(b"late", "late", key(9_999))
    refusal = scheduler.ask(b"another", "greedy", key(9_998))
    assert refusal
    assert refusal.bound == "blocks"


def test_what_is_upcoming_is_what_is_rendered_next():
    scheduler = Scheduler()
    for index in (5, 6, 7):
        scheduler.ask(b"1", "a", key(index))
    scheduler.ask(b"2", "b", key(9))
    scheduler.ask(b"2", "b", ("other", 1))
    assert scheduler.next() == key(5)
    assert set(scheduler.upcoming("stream", 9)) == {5, 6, 7, 9}
    assert scheduler.upcoming("stream", 2) == [5, 9]


class Fairness(RuleBasedStateMachine):
    """Three modest experiments and a greedy one; shared blocks, or each its own."""

    NAMES = "abcg"

    @initialize(shared=st.booleans())
    def begin(self, shared: bool):
        self.scheduler = Scheduler(bounds=Bounds(blocks=40, client_blocks=12))
        self.shared = shared
        self.asks: dict[tuple[bytes, tuple[str, int]], str] = {}
        self.making: list[tuple[str, int]] = []
        self.passed_over = {name: Counter[str]() for name in self.NAMES}

    @rule(name=st.sampled_from(NAMES), number=st.integers(0, 2), first=st.integers(0, 20))
    def ask(self, name: str, number: int, first: int):
        client = f"{name}{number}".encode()
        for index in range(first, first + (12 if name == "g" else 1)):
            wanted = ("all" if self.shared else name, index)
            if not self.scheduler.ask(client, name, wanted):
                self.asks[client, wanted] = name

    @precondition(lambda self: self.asks)
    @rule(data=st.data())
    def forget(self, data: st.DataObject):
        gone = data.draw(st.sampled_from(sorted({client for client, _ in self.asks})))
        self.scheduler.forget(gone)
        self.asks = {ask: name for ask, name in self.asks.items() if ask[0] != gone}

    @rule()
    def turn(self):
        waiting = {name for (_, wanted), name in self.asks.items() if wanted not in self.making}
        chosen = self.scheduler.next()
        assert (chosen is None) == (not waiting)
        if chosen:
            self.making.append(chosen)
            for name in waiting:
                if any(self.asks.get((client, chosen)) == name for client, _ in self.asks):
                    self.passed_over[name].clear()
                else:
                    self.passed_over[name][chosen[0]] += 1

    @precondition(lambda self: self.making)
    @rule()
    def finish(self):
        done = self.making.pop(0)
        assert set(self.scheduler.done(done)) == {client for client, wanted in self.asks if wanted == done}
        self.asks = {ask: name for ask, name in self.asks.items() if ask[1] != done}

    @invariant()
    def whoever_waits_has_the_next_turn_but_one_of_each_other(self):
        waiting = {name for (_, wanted), name in self.asks.items() if wanted not in self.making}
        for name, others in self.passed_over.items():
            if name not in waiting:
                others.clear()
            assert sum(others.values()) < len(self.NAMES)
            assert self.shared or max(others.values(), default=0) <= 1

    @invariant()
    def what_waits_is_counted_and_bounded(self):
        assert len(self.scheduler) == len({wanted for _, wanted in self.asks})
        assert len(self.asks) <= 40


TestFairness = Fairness.TestCase
