"""`synth-server keys`: make the keys of a worker and its clients, and say what to do with them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from pairstream.curve import CurvePair
from pairstream.errors import ConfigError
from pairstream.secret_files import read_file, read_secret, write_new
from synth_server.config import KeysSettings


def run(settings: KeysSettings) -> int:
    """Make what is not there yet; always 0."""
    folder = settings.folder.absolute()
    if settings.kind == "curve":
        _curve(folder, settings.clients)
    else:
        _tls(folder, settings.hosts, settings.clients, settings.days)
    return 0


def _curve(folder: Path, clients: list[str]) -> None:
    worker, allowed = folder / "worker.secret", folder / "allowed"
    for name in clients:  # before anything is written
        _must_be_new(folder / f"{name}.secret", allowed / f"{name}.public")
    if not worker.exists():
        pair = CurvePair.new()
        write_new(worker, pair.secret_file(), secret=True)
        write_new(folder / "worker.public", pair.public_file(), secret=False)
    for name in clients:
        pair = CurvePair.new()
        write_new(folder / f"{name}.secret", pair.secret_file(), secret=True)
        write_new(allowed / f"{name}.public", pair.public_file(), secret=False)
    print(f"The worker keeps {worker} and {allowed}; start it with\n")
    print(f"    synth-server serve --bind tcp://0.0.0.0:5555 --curve-key {worker} --curve-allowed {allowed}\n")
    for name in clients:
        print(f"Give {folder / 'worker.public'} and {folder / f'{name}.secret'} to {name}, who types\n")
        print(f"    export PAIRSTREAM_CURVE_KEY={folder / f'{name}.secret'}")
        print(f"    export PAIRSTREAM_CURVE_SERVER={folder / 'worker.public'}\n")
    print(f"To turn a client away, remove its file from {allowed}.")


def _tls(folder: Path, hosts: list[str], clients: list[str], days: int) -> None:
    from synth_server.certificates import Authority, Signed  # noqa: PLC0415 – needs an extra

    ca, worker, now = folder / "ca.pem", folder / "worker.pem", datetime.now(UTC)
    if not hosts and not worker.exists():
        raise ConfigError("a worker's certificate names its hosts; say --hosts NAME [ADDRESS ...], as in clients' URLs")
    for name in [*clients, *(["worker"] if hosts else [])]:
        _must_be_new(folder / f"{name}.key", folder / f"{name}.pem")

    def write(name: str, signed: Signed) -> None:
        write_new(folder / f"{name}.key", signed.key, secret=True)
        write_new(folder / f"{name}.pem", signed.cert, secret=False)

    if ca.exists():
        authority = Authority.read(Signed(cert=read_file(ca), key=read_secret(folder / "ca.key")))
    else:
        authority = Authority.new(now)
        write("ca", authority.signed)
    if hosts:
        write("worker", authority.worker(hosts, now, days))
    for name in clients:
        write(name, authority.client(name, now, days))
    print(f"Keep {folder / 'ca.key'} where no worker and no client can read it. The worker keeps ca.pem, worker.pem")
    print("and worker.key; start it with\n")
    flags = f"--tls-cert {worker} --tls-key {folder / 'worker.key'} --tls-ca {ca}"
    print(f"    synth-server serve --grpc 0.0.0.0:5556 {flags}\n")
    for name in clients:
        print(f"Give {ca}, {name}.pem and {name}.key to {name}, who types\n")
        print(f"    export PAIRSTREAM_TLS_CERT={folder / f'{name}.pem'} PAIRSTREAM_TLS_KEY={folder / f'{name}.key'}")
        print(f"    export PAIRSTREAM_TLS_CA={ca}\n")
    print(f"These certificates are valid for {days} days; the same command with another --clients makes more.")


def _must_be_new(*paths: Path) -> None:
    for path in paths:
        if path.exists():
            raise ConfigError(f"{path} is there already, and keys are never overwritten; choose another name or folder")
