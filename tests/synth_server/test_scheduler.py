"""Fair turns and single flight, for any order of asks, answers and departures."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

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


def test_a_block_that_many_wait_for_is_rendered_once_and_given_to_all():
    scheduler = Scheduler(asks_per_client=8)
    for client in (b"1", b"2", b"3"):
        assert scheduler.ask(client, f"experiment {client.decode()}", key(7))
    assert scheduler.next() == key(7)
    assert scheduler.ask(b"4", "late", key(7))
    assert scheduler.next() is None
    assert set(scheduler.done(key(7))) == {b"1", b"2", b"3", b"4"}
    assert scheduler.done(key(7)) == {}


def test_asking_twice_counts_once_and_the_limit_is_per_client():
    scheduler = Scheduler(asks_per_client=2)
    assert all(scheduler.ask(b"1", "e", key(index)) for index in (0, 0, 1, 1))
    assert not scheduler.ask(b"1", "e", key(2))
    assert scheduler.ask(b"2", "e", key(2))
    scheduler.done(key(0))
    assert scheduler.ask(b"1", "e", key(3))


def test_what_only_a_departed_client_waited_for_is_not_rendered():
    scheduler = Scheduler(asks_per_client=8)
    scheduler.ask(b"gone", "e", key(0))
    scheduler.ask(b"gone", "e", key(1))
    scheduler.ask(b"here", "e", key(1))
    scheduler.forget(b"gone")
    assert [scheduler.next(), scheduler.next()] == [key(1), None]


@given(st.data())
def test_nothing_is_lost_repeated_or_left_over(data: st.DataObject):
    scheduler = Scheduler(asks_per_client=5)
    waiting: dict[tuple[str, int], set[bytes]] = {}
    started: set[tuple[str, int]] = set()
    for _ in range(data.draw(st.integers(0, 80))):
        action = data.draw(st.sampled_from(["ask", "ask", "start", "finish", "forget"]))
        client = bytes([data.draw(st.integers(0, 3))])
        if action == "ask":
            wanted = key(data.draw(st.integers(0, 6)))
            if scheduler.ask(client, f"e{client[0] % 2}", wanted):
                waiting.setdefault(wanted, set()).add(client)
            assert sum(client in clients for clients in waiting.values()) <= 5
        elif action == "start" and (next_key := scheduler.next()):
            assert next_key in waiting
            started.add(next_key)
        elif action == "finish" and started:
            finished = started.pop()
            assert set(scheduler.done(finished)) == waiting.pop(finished, set())
        elif action == "forget":
            scheduler.forget(client)
            waiting = {key: clients - {client} for key, clients in waiting.items() if clients - {client}}
        assert len(scheduler) == len(waiting)
    unstarted = set(waiting) - started
    assert unstarted <= {scheduler.next() for _ in range(len(waiting) + 7)}
