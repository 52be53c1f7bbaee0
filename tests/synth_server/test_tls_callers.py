"""Who leaves a port without having asked anything is named once per host, and nobody else is."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth_server.tcp_peers import Peer, plain_host
from synth_server.tls_callers import GRACE_SECONDS, TlsCallers

A, A2, B = Peer("10.0.0.1", 1), Peer("10.0.0.1", 2), Peer("10.0.0.2", 1)


class Port:
    """Who is connected, and what was said of whom."""

    def __init__(self) -> None:
        self.here: set[Peer] = set()
        self.now = 0.0
        self.callers = TlsCallers(lambda: set(self.here), "was turned away")

    def look(self, *here: Peer, seconds: float = GRACE_SECONDS) -> None:
        self.here = set(here)
        self.now += seconds
        self.callers.look(self.now)


@pytest.fixture
def port(caplog: pytest.LogCaptureFixture) -> Port:
    caplog.set_level(logging.WARNING)
    return Port()


def test_who_asks_and_leaves_is_not_named(port: Port, caplog: pytest.LogCaptureFixture):
    port.look(A)
    port.callers.asked(A)
    port.look(A)
    for _ in range(3):
        port.look()
    assert not caplog.records
    assert len(port.callers) == 0


def test_who_leaves_without_asking_is_named_once_for_all_its_connections(port: Port, caplog: pytest.LogCaptureFixture):
    for peer in (A, A2, A):
        port.look(peer)
        port.look()
        port.look()
    assert [record.getMessage() for record in caplog.records] == ["a connection from 10.0.0.1 was turned away"]


def test_who_stays_is_not_named(port: Port, caplog: pytest.LogCaptureFixture):
    for _ in range(10):
        port.look(A, B)
    assert not caplog.records


def test_who_is_named_by_grpc_only_after_it_has_left_is_not_named_here(port: Port, caplog: pytest.LogCaptureFixture):
    port.look(A)
    port.look(seconds=0.1)
    port.callers.asked(A)
    port.look()
    port.look()
    assert not caplog.records


def test_another_connection_from_the_same_port_is_another_caller(port: Port, caplog: pytest.LogCaptureFixture):
    port.look(A)
    port.callers.asked(A)
    port.look(seconds=0.1)
    port.look(A, seconds=0.1)  # it has come again, and is turned away this time
    port.look()
    port.look()
    assert len(caplog.records) == 1


def test_looks_come_no_thicker_than_they_may(port: Port):
    port.look(A)
    port.look(A, B, seconds=0.001)
    assert len(port.callers) == 1


@given(st.lists(st.tuples(st.sets(st.sampled_from([A, A2, B])), st.sets(st.sampled_from([A, A2, B])))))
def test_whoever_comes_and_goes_no_more_are_remembered_than_are_here(story: list[tuple[set[Peer], set[Peer]]]):
    port = Port()
    for here, asking in story:
        port.look(*here)
        for peer in asking & here:
            port.callers.asked(peer)
    port.look()
    port.look()
    assert len(port.callers) == 0


@pytest.mark.parametrize(
    ("name", "peer"),
    [
        ("ipv4:10.0.0.1:1", A),
        ("ipv6:%5Bfe80::1%5D:7", Peer("fe80::1", 7)),
        ("ipv6:[::1]:7", Peer("::1", 7)),
        ("ipv6:%5B::ffff:10.0.0.1%5D:1", A),
        ("unix:", Peer("", 0)),
    ],
)
def test_grpcs_names_of_peers(name: str, peer: Peer):
    assert Peer.named(name) == peer


def test_an_ipv4_address_is_one_however_it_is_written():
    assert plain_host("::ffff:10.0.0.1") == plain_host("10.0.0.1") == "10.0.0.1"
    assert plain_host("fe80::1%eth0") == "fe80::1%eth0"
