"""Mutual TLS: certificates of the worker's authority are served, others are turned away and say why."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from keyring import Keyring
from toy_source import TOY, ToySource, open_toy

from pairstream import connect, tls
from pairstream.credentials import Credentials
from pairstream.errors import ConfigError, WorkerUnavailableError
from pairstream.grpc_channel import open_channel
from synth_server.cli import main
from synth_server.config import ServeSettings
from synth_server.metrics import WorkerMetrics
from synth_server.server import Server

pytestmark = pytest.mark.slow  # they wait for what is refused

pytest.importorskip("cryptography", reason="certificates are made with the extra tls")
PLAIN = ServeSettings(bind="tcp://127.0.0.1:0", grpc="127.0.0.1:0", http="127.0.0.1:0", drain_seconds=2, capacity=1)


@pytest.fixture
def keys(tmp_path: Path) -> Keyring:
    keys = Keyring(tmp_path)
    keys.make_tls("alice")
    return keys


@pytest.fixture
def worker(keys: Keyring) -> Iterator[Server]:
    with Server(replace(PLAIN, **keys.tls_flags), open_toy, WorkerMetrics()) as server:
        yield server


@pytest.fixture
def stranger(tmp_path: Path) -> Keyring:
    keys = Keyring(tmp_path / "stranger")
    keys.make_tls("alice")
    return keys


def url(worker: Server) -> str:
    return f"grpc://{worker.addresses.grpc}"


def expire(keys: Keyring, name: str) -> None:
    """Give a client or the worker a certificate of the same authority that ended a day ago."""
    from synth_server.certificates import Authority, Signed

    folder = keys.folder / "tls"
    authority = Authority.read(Signed(cert=(folder / "ca.pem").read_bytes(), key=(folder / "ca.key").read_bytes()))
    began = datetime.now(UTC) - timedelta(days=11)
    new = authority.worker(["127.0.0.1"], began, 10) if name == "worker" else authority.client(name, began, 10)
    (folder / f"{name}.pem").write_bytes(new.cert)
    (folder / f"{name}.key").write_bytes(new.key)


def test_who_has_a_certificate_gets_the_same_bytes(worker: Server, keys: Keyring):
    source = ToySource(TOY)
    with connect(url(worker), TOY, timeout=10, credentials=keys.tls("alice")) as client:
        assert [block.sha256() for block in client.blocks(stop=12)] == [source.render(i).sha256() for i in range(12)]


def test_status_goes_the_same_way(worker: Server, keys: Keyring, monkeypatch: pytest.MonkeyPatch, capsys):
    command = ["status", worker.addresses.grpc]
    assert main(command) == 4
    assert "PAIRSTREAM_TLS_CERT" in capsys.readouterr().err
    for name, value in vars(keys.tls("alice")).items():
        monkeypatch.setenv(f"PAIRSTREAM_{name.upper()}", value)
    assert main(command) == 0


def test_a_certificate_that_expired_is_one_line_before_anything_is_sent(keys: Keyring):
    expire(keys, "alice")
    with pytest.raises(ConfigError, match=r"alice\.pem .* certificate has expired; make new ones"):
        connect("grpc://127.0.0.1:1", TOY, timeout=0.1, credentials=keys.tls("alice"))


def test_a_worker_whose_certificate_expired_does_not_start(keys: Keyring):
    expire(keys, "worker")
    with pytest.raises(ConfigError, match="certificate has expired"):
        Server(replace(PLAIN, **keys.tls_flags), open_toy, WorkerMetrics())


def test_a_client_that_shows_an_expired_certificate_all_the_same_is_turned_away(
    worker: Server, keys: Keyring, monkeypatch: pytest.MonkeyPatch
):
    expire(keys, "alice")
    monkeypatch.setattr(tls, "_shake_hands", lambda files, worker: None)
    with pytest.raises(WorkerUnavailableError, match="expired, or is of another authority"):
        connect(url(worker), TOY, timeout=0.4, credentials=keys.tls("alice"))


def test_a_certificate_of_another_authority_is_turned_away(worker: Server, keys: Keyring, stranger: Keyring):
    theirs = replace(stranger.tls("alice"), tls_ca=keys.tls("alice").tls_ca)
    with pytest.raises(WorkerUnavailableError, match="of another authority"):
        connect(url(worker), TOY, timeout=0.4, credentials=theirs)


def test_a_worker_of_another_authority_is_not_believed(worker: Server, keys: Keyring, stranger: Keyring):
    with pytest.raises(WorkerUnavailableError, match="our authority has not signed its certificate"):
        connect(
            url(worker), TOY, timeout=0.4, credentials=replace(keys.tls("alice"), tls_ca=stranger.tls("alice").tls_ca)
        )


def test_a_worker_of_another_name_is_not_believed_unless_it_is_meant(worker: Server, keys: Keyring):
    with pytest.raises(WorkerUnavailableError, match="PAIRSTREAM_TLS_NAME"):
        connect(url(worker), TOY, timeout=0.4, credentials=replace(keys.tls("alice"), tls_name="elsewhere"))
    with connect(url(worker), TOY, timeout=10, credentials=replace(keys.tls("alice"), tls_name="localhost")) as client:
        assert client.fetch(1).index == 1


def test_who_shows_nothing_is_turned_away(worker: Server):
    with pytest.raises(WorkerUnavailableError, match="wants certificates"):
        connect(url(worker), TOY, timeout=0.4, credentials=Credentials())


def named(caplog: pytest.LogCaptureFixture) -> list[str]:
    lines = (record.getMessage() for record in caplog.records if record.name == "synth_server.tls_callers")
    return [line for line in lines if "began a TLS handshake and left without asking anything" in line]


def until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("why", ["no certificate", "expired", "another authority"])
def test_who_is_turned_away_is_named_once_and_costs_others_nothing(
    worker: Server,
    keys: Keyring,
    stranger: Keyring,
    caplog: pytest.LogCaptureFixture,
    why: str,
):
    caplog.set_level(logging.WARNING)
    with (
        connect(url(worker), TOY, timeout=10, credentials=keys.tls("alice")) as client,
        pytest.MonkeyPatch.context() as patch,
    ):
        expire(keys, "alice")
        patch.setattr(tls, "_shake_hands", lambda files, worker: None)  # a client that does not look at its own
        theirs = {
            "no certificate": Credentials(),
            "expired": keys.tls("alice"),
            "another authority": replace(stranger.tls("alice"), tls_ca=str(keys.folder / "tls/ca.pem")),
        }[why]
        for index in range(3):
            with pytest.raises(WorkerUnavailableError):
                connect(url(worker), TOY, timeout=0.2, credentials=theirs)
            assert client.fetch(index).index == index
        until(lambda: named(caplog))
    (line,) = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert line.startswith("a connection from 127.0.0.1 began a TLS handshake")
    assert keys.tls_flags["tls_ca"] in line


def test_whoever_asked_anything_is_not_named(worker: Server, keys: Keyring, caplog: pytest.LogCaptureFixture):
    """Blocks, and the two questions of grpc.health, of which one is answered without a thread."""
    alice = keys.tls("alice")
    connect(url(worker), TOY, timeout=10, credentials=alice).close()
    with open_channel(worker.addresses.grpc, alice.tls) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        assert health.Check(health_pb2.HealthCheckRequest(), timeout=5).status
        assert next(iter(health.Watch(health_pb2.HealthCheckRequest(), timeout=5))).status
    until(lambda: not worker._grpc._lock._callers)  # all have left, and what is to be said of them was said
    assert not named(caplog)


def test_a_certificate_that_is_replaced_counts_from_the_next_handshake_on(
    worker: Server, keys: Keyring, stranger: Keyring, caplog: pytest.LogCaptureFixture
):
    """Of the worker, and of the authority: the whole folder becomes another's."""
    caplog.set_level(logging.INFO)
    assert fetched(worker, keys.tls("alice"))
    (keys.folder / "tls/worker.pem").write_bytes((stranger.folder / "tls/worker.pem").read_bytes())
    assert fetched(worker, keys.tls("alice")), "the key is still of the other certificate, so all stays as it was"
    assert "stays as it was" in caplog.text
    for name in ("worker.key", "ca.pem"):
        (keys.folder / "tls" / name).write_bytes((stranger.folder / "tls" / name).read_bytes())
    assert fetched(worker, stranger.tls("alice"))
    assert "was read again" in caplog.text


def fetched(worker: Server, credentials: Credentials) -> bool:
    with connect(url(worker), TOY, timeout=10, credentials=credentials) as client:
        return client.fetch(0).index == 0


@pytest.mark.parametrize(
    ("name", "damage", "says"),
    [
        ("tls_key", lambda path: path.chmod(0o644), "others may read (mode 644)"),
        ("tls_key", lambda path: path.write_text("nonsense"), "is of no use"),
        ("tls_cert", lambda path: path.write_text("nonsense"), "is of no use"),
        ("tls_ca", lambda path: path.write_text("nonsense"), "holds no certificate"),
        ("tls_ca", lambda path: path.unlink(), "cannot read"),
    ],
)
def test_a_file_that_is_of_no_use_is_one_clear_line(keys: Keyring, name: str, damage, says: str):
    alice = keys.tls("alice")
    damage(Path(getattr(alice, name)))
    with pytest.raises(ConfigError, match=re.escape(says)):
        connect("grpc://127.0.0.1:1", TOY, timeout=0.1, credentials=alice)


@pytest.mark.parametrize("name", ["tls_cert", "tls_key", "tls_ca"])
def test_a_worker_without_one_of_its_files_does_not_start_and_says_which(keys: Keyring, name: str):
    settings = replace(PLAIN, **keys.tls_flags | {name: "/nowhere/at-all.pem"})
    with pytest.raises(ConfigError, match=r"cannot read /nowhere/at-all\.pem: No such file"):
        Server(settings, open_toy, WorkerMetrics())


def test_the_key_of_another_certificate_is_one_clear_line(keys: Keyring):
    alice = replace(keys.tls("alice"), tls_key=keys.tls_flags["tls_key"])
    with pytest.raises(ConfigError, match="is of no use"):
        connect("grpc://127.0.0.1:1", TOY, timeout=0.1, credentials=alice)


def test_a_workers_certificate_is_no_clients(keys: Keyring):
    with pytest.raises(ConfigError, match="unsuitable certificate purpose"):
        connect("grpc://127.0.0.1:1", TOY, timeout=0.1, credentials=keys.tls("worker"))


def test_a_second_run_adds_clients_and_overwrites_nothing(keys: Keyring, worker: Server):
    folder = str(keys.folder / "tls")
    assert main(["keys", "tls", folder, "--clients", "alice"]) == 2
    assert main(["keys", "tls", folder, "--hosts", "other"]) == 2
    assert main(["keys", "tls", folder, "--clients", "carol"]) == 0
    with connect(url(worker), TOY, timeout=10, credentials=keys.tls("carol")) as client:
        assert client.fetch(0).index == 0
