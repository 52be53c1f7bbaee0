"""`synth-server listen` as a process and as a command: how it starts, stops and says no."""

from __future__ import annotations

import socket
import subprocess
import sys
import urllib.request
from importlib.metadata import EntryPoints
from pathlib import Path
from signal import SIGINT, SIGTERM, Signals

import pytest
from page_process import PageProcess

from pairstream import listener
from pairstream.errors import ConfigError
from synth_server.cli import main
from synth_server.listen.config import ListenSettings


@pytest.mark.slow
@pytest.mark.parametrize("with_signal", [SIGTERM, SIGINT])
def test_it_serves_until_it_is_told_to_stop(with_signal: Signals):
    with PageProcess() as page:
        with urllib.request.urlopen(f"{page.url}/healthz", timeout=20) as answer:
            assert answer.read() == b"ready\n"
        code, out, err = page.stop(with_signal)
    assert (code, out.splitlines()[-1]) == (0, "stopped")
    assert "Traceback" not in err


@pytest.mark.slow
def test_it_stops_although_somebody_waits_for_a_worker():
    with PageProcess("--stream", "zmq://127.0.0.1:1", "--timeout", "100") as page:
        address = page.url.removeprefix("http://").split(":")
        with socket.create_connection((address[0], int(address[1])), timeout=20) as visitor:
            visitor.sendall(b"GET /api/pair/0/0 HTTP/1.1\r\nHost: here\r\n\r\n")
            with urllib.request.urlopen(f"{page.url}/healthz", timeout=20):
                pass
            code, out, _ = page.stop()  # it has 30 s
    assert (code, out.splitlines()[-1]) == (0, "stopped")


@pytest.mark.parametrize(
    ("flags", "code", "said"),
    [
        (["--http", "0.0.0.0:8080"], 2, "can be reached from other machines"),
        (["--http", "nonsense"], 2, "HOST:PORT"),
        (["--timeout", "0"], 2, "timeout=0.0"),
        (["--at-once", "0"], 2, "at_once=0"),
        (["--stream", "carrier-pigeon://x"], 2, "is not a stream's URL"),
        (["--http", "192.0.2.1:1", "--insecure"], 6, "cannot serve the page on 192.0.2.1:1"),
        pytest.param(["--checkpoint", "/nowhere/run"], 8, "/nowhere/run", marks=pytest.mark.slow),  # loads the trainer
    ],
)
def test_what_cannot_work_ends_in_one_line(flags: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]):
    assert main(["listen", *flags]) == code
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("synth-server: error: ")
    assert said in line


def test_a_port_that_is_taken_is_said(capsys: pytest.CaptureFixture[str]):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert main(["listen", "--http", f"127.0.0.1:{taken.getsockname()[1]}"]) == 6
    assert "choose another --http" in capsys.readouterr().err


def test_on_a_trusted_network_everybody_may_listen():
    assert ListenSettings(http="0.0.0.0:8080", insecure=True).address.port == 8080


def test_without_a_trainer_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(listener, "entry_points", lambda **_: EntryPoints())
    with pytest.raises(ConfigError, match=r"needs the trainer .* install `pairstream\[trainer\]`"):
        listener.installed_listener()


def test_without_starlette_it_says_what_to_install(tmp_path: Path):
    (tmp_path / "uvicorn.py").write_text("raise ImportError(\"No module named 'uvicorn'\")")
    script = f"""
import sys
sys.path.insert(0, {str(tmp_path)!r})
from synth_server.cli import main
sys.exit(main(["listen"]))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].endswith("(No module named 'uvicorn'); pip install 'pairstream[listen]'")
