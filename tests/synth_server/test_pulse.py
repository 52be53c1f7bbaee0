"""/healthz: a block was rendered lately, or can be; open ports are not enough."""

from __future__ import annotations

import threading
import time
import urllib.error
import urllib.request
from functools import partial

import pytest
from toy_source import ToySource, open_toy

from pairstream.errors import RenderError
from synth_server.config import ServeSettings
from synth_server.metrics import WorkerMetrics
from synth_server.pulse import Pulse
from synth_server.server import Server

SETTINGS = ServeSettings(bind="tcp://127.0.0.1:0", grpc="127.0.0.1:0", http="127.0.0.1:0", drain_seconds=1, capacity=1)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def healthz(server: Server) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(server.addresses.http + "/healthz", timeout=5) as answer:
            return answer.status, answer.read().decode().strip()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode().strip()


def test_nothing_is_rendered_for_the_question_while_blocks_are_made():
    clock, rung = Clock(), []
    pulse = Pulse(lambda: rung.append(1), lately=20, patience=0, clock=clock)
    pulse.start()
    for _ in range(5):
        clock.now += 19
        assert pulse.health().well
        pulse.beat()
    assert (rung, pulse.probe_wanted()) == ([], False)


def test_after_a_while_without_a_block_one_is_asked_for_and_awaited():
    clock = Clock()

    def render() -> None:
        assert pulse.probe_wanted()
        assert not pulse.probe_wanted()
        pulse.beat()

    pulse = Pulse(lambda: threading.Thread(target=render).start(), lately=20, patience=5, clock=clock)
    pulse.start()
    clock.now += 60
    assert pulse.health().well


def test_if_it_does_not_come_the_worker_is_not_well_and_says_for_how_long():
    clock = Clock()
    pulse = Pulse(lambda: None, lately=20, patience=0.01, clock=clock)
    assert pulse.health().why == "no block rendered yet"
    pulse.start()
    clock.now += 60
    assert pulse.health().why == "no block for 60 s, though one was asked for"
    pulse.stop()
    assert (pulse.health().well, pulse.health().why) == (False, "draining")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synth_server.server.Pulse", partial(Pulse, lately=0.05, patience=0.5))


@pytest.mark.usefixtures("impatient")
def test_an_idle_worker_stays_well_and_its_probes_are_not_counted_as_blocks():
    metrics = WorkerMetrics()
    with Server(SETTINGS, open_toy, metrics) as server:
        for _ in range(3):
            time.sleep(0.1)
            assert healthz(server) == (200, "ready")
        assert metrics.registry.get_sample_value("pairstream_worker_blocks_rendered_total") == 0


@pytest.mark.slow
@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("trouble", ["hangs", "fails"])
def test_a_worker_that_renders_no_more_is_not_well_and_well_again_once_it_does(trouble: str):
    may_render, well = threading.Event(), threading.Event()
    may_render.set()
    well.set()

    class Source(ToySource):
        def render(self, index: int):
            may_render.wait(10)
            if not well.is_set():
                raise RenderError("the card has fallen off the bus")
            return super().render(index)

    with Server(SETTINGS, Source, WorkerMetrics()) as server:
        (may_render if trouble == "hangs" else well).clear()
        time.sleep(0.1)
        code, said = healthz(server)
        assert (code, said.partition(" s, ")[2]) == (503, "though one was asked for")
        may_render.set()
        well.set()
        assert healthz(server) == (200, "ready")
