"""What a run tells besides its journal: TensorBoard, the port for Prometheus, the bar."""

from __future__ import annotations

import socket
from urllib.request import urlopen

import pytest
import torch
from rich.console import Console
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tiny_training import but, record

from pairstream.errors import BindError
from pairstream.http_server import Health
from pairstream.torch import PairBatch
from trainer.config import FitSettings
from trainer.fit import fit
from trainer.health import health
from trainer.meter import Meter
from trainer.progress import ProgressBar, ProgressLines, progress
from trainer.records import StepRecord
from trainer.run_folder import RunFolder
from trainer.tensorboard import TensorBoard

pytestmark = pytest.mark.filterwarnings("ignore:.*LeafSpec:FutureWarning")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.slow
def test_tensorboard_has_curves_sounds_and_pictures(tiny: FitSettings) -> None:
    fit(tiny)
    events = EventAccumulator(str(RunFolder(tiny.run).tensorboard), size_guidance={"scalars": 0})
    events.Reload()
    tags = events.Tags()
    assert set(tags["scalars"]) == {"loss", "alignment", "uniformity", "lr", "wait_fraction", "pairs_per_second"}
    assert [point.step for point in events.Scalars("loss")] == [1, 2, 4, 6]
    assert set(tags["audio"]) == {f"pair{pair}/{view}" for pair in range(4) for view in "ab"}
    assert set(tags["images"]) == {f"pair{pair}" for pair in range(4)}
    assert len(events.Audio("pair0/a")) == 1
    picture = events.Images("pair0")[0]
    assert (picture.width, picture.height) == (192, 64)


def test_metrics_are_served_while_the_run_lasts(tiny: FitSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    seen: list[str] = []
    told = TensorBoard.record

    def scrape(sink: TensorBoard, at: StepRecord) -> None:
        told(sink, at)
        with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            seen.append(answer.read().decode())

    monkeypatch.setattr(TensorBoard, "record", scrape)
    fit(but(tiny, metrics_port=port, experiment="mine"))
    assert 'pairstream_trainer_steps_total{experiment="mine"} 6.0' in seen[-1]
    assert 'pairstream_trainer_cursor_index{experiment="mine"} 6.0' in seen[-1]
    with pytest.raises(OSError, match="refused"):
        urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5)


def test_a_metrics_port_in_use_ends_the_run_before_its_first_step(tiny: FitSettings) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(BindError, match="metrics cannot be served"):
            fit(but(tiny, metrics_port=taken.getsockname()[1]))
    assert not tiny.run.exists()


def test_a_log_gets_a_line_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    times = iter([100.0, 101.0, 109.9, 110.1, 111.0])
    lines = ProgressLines(5, Console(stderr=True), clock=lambda: next(times))
    for step in range(1, 6):
        lines.record(record(step))
    shown = [line.split("  ")[0] for line in capsys.readouterr().err.splitlines()]
    assert shown == ["step 1 of 5", "step 4 of 5", "step 5 of 5"]


def test_a_machine_gets_events_with_the_whole_record(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    events = progress(5, form="json")
    for step in range(1, 6):
        events.record(record(step))
    assert [(line.message, line.fields["step"]) for line in caplog.records] == [("step", 1), ("step", 5)]  # type: ignore[attr-defined]
    assert caplog.records[-1].fields["loss"] == -1.0  # type: ignore[attr-defined]


def test_a_trainer_is_well_while_it_makes_steps() -> None:
    now = [100.0]
    meter = Meter(lambda: now[0])
    assert health(meter, 60) == Health(well=False, why="no step yet")
    meter.stepped(4)
    now[0] += 59
    assert health(meter, 60).well
    now[0] += 2
    assert health(meter, 60) == Health(well=False, why="no step for 61 s")


def test_a_probe_of_a_running_trainer_says_ready(tiny: FitSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    port, seen = free_port(), []
    told = TensorBoard.record

    def ask(sink: TensorBoard, at: StepRecord) -> None:
        told(sink, at)
        with urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
            seen.append(answer.read())

    monkeypatch.setattr(TensorBoard, "record", ask)
    fit(but(tiny, metrics_port=port))
    assert set(seen) == {b"ready\n"}


def test_quiet_is_quiet(tiny: FitSettings, capsys: pytest.CaptureFixture[str]) -> None:
    fit(but(tiny, quiet=True))
    assert "step 6 of 6" not in capsys.readouterr().err
    fit(but(tiny, run=tiny.run.with_name("loud")))
    assert "step 6 of 6  loss" in capsys.readouterr().err


def test_a_terminal_gets_a_bar(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")
    bar = progress(10)
    assert isinstance(bar, ProgressBar)
    bar.first_batch(PairBatch(0, torch.zeros(1, 2, 2), torch.zeros(1, 2, 2)))
    bar.record(record(5))
    bar.close()
    assert "loss -1.000" in capsys.readouterr().err
