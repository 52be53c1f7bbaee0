"""Workers behind a name: found, joined by others, gone; and a resolver that fails takes nobody away."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairstream.discovery import (
    EAGER_SECONDS,
    EVERY_SECONDS,
    LOOKUP_SECONDS,
    DnsWorkers,
    FixedWorkers,
    resolve,
    roster_changes,
)

names = st.frozensets(st.sampled_from("abcdef"))


class Resolver:
    """Answers what it is told to, once it may; `asked` counts."""

    def __init__(self) -> None:
        self.answer: Sequence[str] | OSError = []
        self.asked = 0
        self.may_answer = threading.Event()
        self.may_answer.set()

    def __call__(self, host: str) -> Sequence[str]:
        self.asked += 1
        self.may_answer.wait(10)
        if isinstance(self.answer, OSError):
            raise self.answer
        return self.answer


def settled(subject: DnsWorkers, now: float, ready: Callable[[], bool]) -> frozenset[str]:
    """What is found at a time, once the look-up's thread has answered."""
    for _ in range(1_000_000):
        found = subject.find(now)
        if ready():
            return found
    raise AssertionError(subject.situation())


@pytest.fixture
def resolver() -> Resolver:
    return Resolver()


@pytest.fixture
def subject(resolver: Resolver) -> DnsWorkers:
    return DnsWorkers("zmq", "worker", 5555, resolver)


def test_every_address_is_a_worker(subject: DnsWorkers, resolver: Resolver):
    resolver.answer = ["10.0.0.1", "[fd00::2]"]
    found = settled(subject, 0.0, lambda: "found" in subject.situation())
    assert found == {"zmq://10.0.0.1:5555", "zmq://[fd00::2]:5555"}


def test_a_name_that_is_not_found_yet_is_looked_up_every_second_with_a_reason(subject: DnsWorkers, resolver: Resolver):
    resolver.answer = OSError("name or service not known")
    assert settled(subject, 0.0, lambda: "not known" in subject.situation()) == frozenset()
    assert "worker was looked up 1 times: name or service not known" in subject.situation()
    subject.find(EAGER_SECONDS * 0.9)
    assert resolver.asked == 1
    resolver.answer = ["10.0.0.1"]
    assert settled(subject, EAGER_SECONDS, lambda: "found" in subject.situation())


def test_addresses_come_and_go_every_few_seconds(subject: DnsWorkers, resolver: Resolver):
    resolver.answer = ["10.0.0.1"]
    settled(subject, 0.0, lambda: "found" in subject.situation())
    resolver.answer = ["10.0.0.2"]
    assert subject.find(EVERY_SECONDS * 0.9) == {"zmq://10.0.0.1:5555"}
    settled(subject, EVERY_SECONDS, lambda: subject.find(EVERY_SECONDS) == {"zmq://10.0.0.2:5555"})
    assert resolver.asked == 2


@pytest.mark.parametrize("failure", [OSError("temporary failure"), []])
def test_a_look_up_that_fails_takes_nobody_away(
    subject: DnsWorkers, resolver: Resolver, failure: Sequence[str] | OSError
):
    resolver.answer = ["10.0.0.1"]
    settled(subject, 0.0, lambda: "found" in subject.situation())
    resolver.answer = failure
    found = settled(subject, EVERY_SECONDS, lambda: "found" not in subject.situation())
    assert found == {"zmq://10.0.0.1:5555"}
    assert "temporary failure" in subject.situation() or "no addresses" in subject.situation()


def test_a_resolver_that_hangs_is_given_up_and_never_blocks(subject: DnsWorkers, resolver: Resolver):
    resolver.may_answer.clear()
    for step in range(20):
        assert subject.find(step * LOOKUP_SECONDS) == frozenset()
    assert "no answer within 10 s" in subject.situation()
    assert resolver.asked <= 4
    resolver.answer = ["10.0.0.1"]
    resolver.may_answer.set()
    later = 21 * LOOKUP_SECONDS
    assert settled(subject, later, lambda: "found" in subject.situation()) == {"zmq://10.0.0.1:5555"}


@given(found=names, present=names, connected=names)
def test_who_is_found_is_added_and_only_who_is_neither_found_nor_connected_is_removed(
    found: frozenset[str], present: frozenset[str], connected: frozenset[str]
):
    changes = roster_changes(found, present, connected)
    after = (present | changes.add) - changes.remove
    assert found <= after <= found | present
    assert after - found <= connected or not found
    assert not changes.remove & (found | connected)
    assert roster_changes(found, after, connected).add == frozenset()


def test_a_list_never_changes():
    assert FixedWorkers(["a", "b"]).find(9.0) == {"a", "b"}


def test_an_address_is_an_address_and_localhost_is_of_one_family():
    assert resolve("127.0.0.1") == ["127.0.0.1"]
    assert resolve("localhost") in (["127.0.0.1"], ["[::1]"])
    with pytest.raises(OSError, match=r"\w"):
        resolve("no-such-host.invalid")
