"""CURVE: who has a key of the list is served, who has not is turned away and told so, and others notice nothing."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from keyring import Keyring
from toy_source import TOY, ToySource, open_toy

from pairstream import connect
from pairstream.credentials import Credentials
from pairstream.curve import CurvePair
from pairstream.errors import ConfigError, WorkerUnavailableError
from synth_server.config import ServeSettings
from synth_server.gates import OF_ONE_HOST, AllowList, CurveGate
from synth_server.metrics import WorkerMetrics
from synth_server.server import Server

pytestmark = pytest.mark.slow  # they wait for what is refused

PLAIN = ServeSettings(bind="tcp://127.0.0.1:0", grpc="127.0.0.1:0", http="127.0.0.1:0", drain_seconds=2, capacity=1)


@pytest.fixture
def keys(tmp_path: Path) -> Keyring:
    keys = Keyring(tmp_path)
    keys.make_curve("alice", "bob", "eve")
    (tmp_path / "curve/allowed/eve.public").rename(tmp_path / "eve.public")
    return keys


@pytest.fixture
def worker(keys: Keyring) -> Iterator[Server]:
    with Server(replace(PLAIN, **keys.curve_flags), open_toy, WorkerMetrics()) as server:
        yield server


def hashes(url: str, credentials: Credentials) -> list[str]:
    with connect(url, TOY, timeout=10, credentials=credentials) as client:
        return [block.sha256() for block in client.blocks(stop=12)]


@pytest.mark.parametrize("scheme", ["zmq", "tcp"])
def test_who_has_a_key_of_the_list_gets_the_same_bytes(worker: Server, keys: Keyring, scheme: str):
    source = ToySource(TOY)
    expected = [source.render(index).sha256() for index in range(12)]
    url = worker.addresses.data.replace("zmq", scheme)
    assert hashes(url, keys.curve("alice")) == hashes(url, keys.curve("bob")) == expected


def test_the_environment_names_the_keys(worker: Server, keys: Keyring, monkeypatch: pytest.MonkeyPatch):
    alice = keys.curve("alice")
    monkeypatch.setenv("PAIRSTREAM_CURVE_KEY", alice.curve_key)
    monkeypatch.setenv("PAIRSTREAM_CURVE_SERVER", alice.curve_server)
    with connect(worker.addresses.data, TOY, timeout=10) as client:
        assert client.fetch(7).index == 7


def test_an_unknown_key_is_refused_logged_once_and_harms_nobody(
    worker: Server, keys: Keyring, caplog: pytest.LogCaptureFixture
):
    with (
        caplog.at_level(logging.WARNING),
        connect(worker.addresses.data, TOY, timeout=10, credentials=keys.curve("alice")) as honest,
    ):
        blocks = honest.blocks()
        for _ in range(3):
            with pytest.raises(WorkerUnavailableError, match="turned our key away"):
                connect(worker.addresses.data, TOY, timeout=0.3, credentials=keys.curve("eve"))
            assert next(blocks).digest == TOY.digest
    lines = [record.getMessage() for record in caplog.records if "turned away" in record.getMessage()]
    eve = CurvePair.read(Path(keys.curve("eve").curve_key))
    assert len(lines) == 1
    assert eve.public.decode() in lines[0]
    assert eve.secret.decode() not in lines[0]


def test_who_makes_new_keys_all_the_time_does_not_fill_the_log(keys: Keyring, caplog: pytest.LogCaptureFixture):
    gate = CurveGate(CurvePair.read(Path(keys.curve("alice").curve_key)), AllowList(keys.folder / "curve/allowed"))
    for number in range(100):
        for address in ("10.0.0.1", "10.0.0.2"):
            assert not gate.admits(b"CURVE", [f"{number:16}{address:>16}".encode()], address)
    assert len(caplog.records) == 2 * OF_ONE_HOST


def test_a_key_that_is_added_may_come_in_while_its_client_waits(worker: Server, keys: Keyring):
    """Whoever was turned away tries again, although libzmq itself takes that for the last word."""
    from threading import Timer

    late = keys.folder / "eve.public"
    timer = Timer(0.3, lambda: late.rename(keys.folder / "curve/allowed/eve.public"))
    timer.start()
    try:
        assert len(hashes(worker.addresses.data, keys.curve("eve"))) == 12
    finally:
        timer.join()


def test_a_key_that_is_removed_does_not_come_in_again(worker: Server, keys: Keyring):
    assert hashes(worker.addresses.data, keys.curve("bob"))
    (keys.folder / "curve/allowed/bob.public").unlink()
    with pytest.raises(WorkerUnavailableError, match="turned our key away"):
        connect(worker.addresses.data, TOY, timeout=0.3, credentials=keys.curve("bob"))
    assert hashes(worker.addresses.data, keys.curve("alice"))


def test_a_file_that_holds_no_key_is_named_once_and_the_others_count(
    worker: Server, keys: Keyring, caplog: pytest.LogCaptureFixture
):
    (keys.folder / "curve/allowed/junk.public").write_text("no key")
    (keys.folder / "curve/allowed/bob.public").unlink()
    for _ in range(3):
        assert hashes(worker.addresses.data, keys.curve("alice"))
    with pytest.raises(WorkerUnavailableError, match="turned our key away"):
        connect(worker.addresses.data, TOY, timeout=0.3, credentials=keys.curve("bob"))
    assert caplog.text.count("junk.public holds no public CURVE key") == 1


def test_a_client_without_keys_is_told_what_it_lacks(worker: Server):
    with pytest.raises(WorkerUnavailableError, match="PAIRSTREAM_CURVE_KEY"):
        connect(worker.addresses.data, TOY, timeout=0.3, credentials=Credentials())


def test_a_worker_that_is_not_the_one_that_was_meant_is_not_believed(worker: Server, keys: Keyring):
    alice = keys.curve("alice")
    other = keys.folder / "curve/allowed/bob.public"
    with pytest.raises(WorkerUnavailableError, match="PAIRSTREAM_CURVE_SERVER"):
        connect(worker.addresses.data, TOY, timeout=0.3, credentials=replace(alice, curve_server=str(other)))


def test_a_client_with_keys_does_not_talk_to_a_worker_without(keys: Keyring):
    with Server(PLAIN, open_toy, WorkerMetrics()) as server, pytest.raises(WorkerUnavailableError):
        connect(server.addresses.data, TOY, timeout=0.3, credentials=keys.curve("alice"))


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda path: path.chmod(0o640), "others may read (mode 640)"),
        (lambda path: path.unlink(), "cannot read"),
        (lambda path: path.write_text('secret-key = "short"'), "holds no secret CURVE key"),
        (lambda path: path.write_text('secret-key = "' + "~" * 40 + '"'), "holds no secret CURVE key"),
        (lambda path: path.write_bytes(bytes(2 << 20)), "more than"),
    ],
    ids=["readable", "missing", "short", "not z85", "huge"],
)
def test_a_key_file_that_is_of_no_use_is_one_clear_line(keys: Keyring, damage, says: str):
    alice = keys.curve("alice")
    damage(Path(alice.curve_key))
    with pytest.raises(ConfigError, match=re.escape(says)):
        connect("zmq://127.0.0.1:1", TOY, timeout=0.1, credentials=alice)


def test_a_worker_without_any_client_is_refused(keys: Keyring):
    for file in (keys.folder / "curve/allowed").iterdir():
        file.unlink()
    with pytest.raises(ConfigError, match="no client could come"):
        Server(replace(PLAIN, **keys.curve_flags), open_toy, WorkerMetrics())


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        ({"curve_key": "x"}, "--curve-allowed"),
        ({"tls_cert": "x", "tls_key": "y"}, "--tls-ca"),
        ({"bind": "tcp://0.0.0.0:0"}, "keys curve"),
        ({"grpc": "0.0.0.0:0"}, "keys tls"),
        ({"http": "0.0.0.0:0"}, "a proxy"),
        ({"bind": "tcp://0.0.0.0:0", "tls_cert": "x", "tls_key": "y", "tls_ca": "z"}, "keys curve"),
        ({"grpc": "0.0.0.0:0", "curve_key": "x", "curve_allowed": "y"}, "keys tls"),
    ],
)
def test_a_door_that_others_can_reach_needs_a_lock_of_its_own(flags: dict[str, str], says: str):
    with pytest.raises(ConfigError, match=re.escape(says)):
        replace(PLAIN, **flags)


def test_a_door_with_its_lock_may_be_reached(keys: Keyring):
    replace(PLAIN, bind="tcp://0.0.0.0:0", **keys.curve_flags)
    replace(PLAIN, grpc="0.0.0.0:0", **keys.tls_flags)
    replace(PLAIN, bind="tcp://0.0.0.0:0", grpc="0.0.0.0:0", http="0.0.0.0:0", insecure=True)


def test_half_of_the_keys_is_a_mistake():
    with pytest.raises(ConfigError, match="PAIRSTREAM_CURVE_SERVER must be set"):
        Credentials.from_environment({"PAIRSTREAM_CURVE_KEY": "x"})


def test_keys_are_never_overwritten(keys: Keyring, capsys: pytest.CaptureFixture[str]):
    from synth_server.cli import main

    before = {path: path.read_bytes() for path in keys.folder.rglob("*") if path.is_file()}
    assert main(["keys", "curve", str(keys.folder / "curve"), "--clients", "new", "alice"]) == 2
    assert "never overwritten" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in keys.folder.rglob("*") if path.is_file()} == before
    assert {path.stat().st_mode & 0o777 for path in keys.folder.rglob("*.secret")} == {0o600}
