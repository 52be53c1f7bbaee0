"""Logs as JSON lines: every line an object, every value in a field of its own."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pairstream import logs

LOG = logging.getLogger("pairstream.somewhere")


@pytest.fixture
def lines() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """The lines that were logged."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.JsonLines())
    LOG.addHandler(handler)
    LOG.setLevel("INFO")
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    LOG.removeHandler(handler)


def test_an_event_has_its_circumstances_as_fields(lines):
    logs.event(LOG, "ready", seconds=1.25, address=Path("/somewhere"))
    (line,) = lines()
    assert line.pop("time").endswith("Z")
    expected = {"level": "info", "logger": "pairstream.somewhere", "event": "ready"}
    assert line == expected | {"seconds": 1.25, "address": "/somewhere"}


def test_a_sentence_keeps_its_values_apart_and_its_kind_countable(lines):
    LOG.warning("client %s has not read %d MiB", "ab", 3)
    (line,) = lines()
    assert line["event"] == "client %s has not read %d MiB"
    assert line["message"] == "client ab has not read 3 MiB"
    assert line["values"] == ["ab", 3]


def test_a_traceback_is_in_its_line(lines):
    try:
        raise ValueError("seven\nlines")
    except ValueError:
        LOG.exception("a job failed")
    (line,) = lines()
    assert line["level"] == "error"
    assert "ValueError: seven" in line["traceback"]


def test_what_is_no_number_in_json_is_a_line_all_the_same(lines):
    logs.event(LOG, "step", loss=float("nan"), wait=float("inf"))
    (line,) = lines()
    assert (line["loss"], line["wait"]) == (None, None)


@pytest.mark.slow
def test_a_command_that_fails_says_so_as_an_event(tmp_path: Path):
    command = [sys.executable, "-m", "trainer.cli", "fit", "--run", str(tmp_path / "run"), "--log-format", "json"]
    command += ["--stream", "zmq://127.0.0.1:1", "--timeout", "0.5", "--preset", "demo"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (4, "")
    events = [json.loads(line) for line in done.stderr.splitlines()]
    assert (events[-1]["event"], events[-1]["exit_code"]) == ("failed", 4)
    assert "127.0.0.1:1" in events[-1]["error"]
