"""The commands of synth-server, run as a user would, judged by what they print and write."""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from toy_source import TOY, open_toy

from pairstream import StreamSpec, connect
from synth_server.cli import main
from synth_server.config import ServeSettings
from synth_server.engines import installed_engines
from synth_server.metrics import STAGES, WorkerMetrics
from synth_server.patches import load_patch
from synth_server.server import Server

SMALL = ["--spec.block_pairs", "3", "--spec.seconds", "0.25", "--spec.delta", "0.1"]
SPEC = StreamSpec(block_pairs=3, seconds=0.25, delta=0.1)


@pytest.fixture
def worker() -> Iterator[Server]:
    settings = ServeSettings(bind="tcp://127.0.0.1:0", grpc="127.0.0.1:0", http="127.0.0.1:0", drain_seconds=2)
    with Server(settings, open_toy, WorkerMetrics()) as server:
        yield server


def test_render_writes_the_very_samples_and_what_makes_them_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["render", "--out", str(tmp_path), "--index", "4", "--pairs", "2", *SMALL]) == 0
    written = [Path(line) for line in capsys.readouterr().out.split()]
    assert len(written) == 2
    assert len(list(tmp_path.iterdir())) == 6
    about = json.loads(written[1].read_text())
    with connect("local://", StreamSpec.from_dict(about["spec"])) as client:
        block = client.fetch(about["index"])
    assert (about["digest"], about["sha256"], about["pair"]) == (SPEC.digest, block.sha256(), 1)
    for view, name in enumerate("ab"):
        samples, rate = soundfile.read(tmp_path / about["wav"][name], dtype="float32")
        assert rate == 16_000
        assert np.array_equal(samples, block.audio[1, view])


def test_render_gives_the_parameters_in_human_units(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    main(["render", "--out", str(tmp_path), "--pairs", "1", *SMALL])
    about = json.loads(Path(capsys.readouterr().out.strip()).read_text())
    assert len(about["parameters"]) == 78
    for parameter, expected in zip(about["parameters"], load_patch("voice").parameters, strict=True):
        assert (parameter["module"], parameter["name"]) == (expected.module, expected.name)
        assert all(expected.minimum <= value <= expected.maximum for value in parameter["value"])
    pitch = about["parameters"][0]
    assert pitch["name"] == "midi_f0"
    assert pitch["value"] == pytest.approx([127 * theta for theta in pitch["theta"]])


def test_render_gives_the_parameters_of_every_layer(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    main(["render", "--out", str(tmp_path), "--pairs", "1", "--spec.layers", "2", *SMALL])
    about = json.loads(Path(capsys.readouterr().out.strip()).read_text())
    with connect("local://", StreamSpec.from_dict(about["spec"])) as client:
        theta = client.fetch(0).theta[0]
    assert [parameter["layer"] for parameter in about["parameters"]] == [0] * 78 + [1] * 78
    assert [parameter["theta"] for parameter in about["parameters"]] == theta.T.tolist()


def test_render_leaves_nothing_where_it_cannot_write(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    assert main(["render", "--out", str(blocked / "pairs"), *SMALL, "--pairs", "1"]) == 2
    assert "choose another place" in capsys.readouterr().err
    assert blocked.read_text() == "in the way"


def test_bench_has_a_row_for_every_stage(capsys: pytest.CaptureFixture[str]):
    assert main(["bench", "--blocks", "2", "--json", *SMALL]) == 0
    report = json.loads(capsys.readouterr().out)
    assert set(STAGES) - {"send"} < set(report["stages"])
    assert {"decode", "transfer"} < set(report["stages"])
    assert all(row["pairs_per_second"] > 0 for row in report["stages"].values())
    assert main(["bench", "--blocks", "2", *SMALL]) == 0
    assert "engine" in capsys.readouterr().out


def test_status_tells_what_a_worker_offers_and_does(worker: Server, capsys: pytest.CaptureFixture[str]):
    with connect(worker.addresses.data, TOY, experiment="mine", timeout=5) as client:
        list(client.blocks(stop=3))
    assert main(["status", worker.addresses.grpc, "--json"]) == 0
    (answer,) = json.loads(capsys.readouterr().out)["workers"]
    assert answer["health"] == "SERVING"
    assert [synth["name"] for synth in answer["describe"]["synths"]] == ["voice", "voice-fm", "parametric"]
    assert [entry["name"] for entry in answer["status"]["experiments"]] == ["mine"]
    assert main(["status", worker.addresses.grpc]) == 0
    text = capsys.readouterr().out
    for part in ("ready", "mine", TOY.digest[:12], "parametric (340)"):
        assert part in text


def test_status_of_several_workers_has_a_row_for_one_that_is_down(worker: Server, capsys: pytest.CaptureFixture[str]):
    assert main(["status", "127.0.0.1:1", f"grpc://{worker.addresses.grpc}"]) == 0
    rows = [line for line in capsys.readouterr().out.splitlines() if "127.0.0.1:" in line]
    assert ["down" in row for row in rows] == [True, False]
    assert main(["status", "127.0.0.1:1", "--json"]) == 4
    captured = capsys.readouterr()
    assert "no worker answers" in json.loads(captured.out)["workers"][0]["error"]
    assert "start one with `synth-server serve`" in captured.err


def test_doctor_finds_this_installation_sound(capsys: pytest.CaptureFixture[str]):
    assert main(["doctor", "--json"]) == 0
    findings = {finding["check"]: finding for finding in json.loads(capsys.readouterr().out)}
    assert {finding["verdict"] for finding in findings.values()} <= {"ok", "note"}
    assert "same bytes" in findings["render"]["found"]
    assert re.search(r"(loaded|compiled) in [\d.]+ s, kept in /", findings["kernels"]["found"])
    assert findings["torch"]["found"].startswith("2.")


def test_doctor_says_where_compiled_code_is_kept_instead(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("NUMBA_CACHE_DIR", "/proc/nowhere")
    assert main(["doctor", "--json"]) == 0
    (finding,) = (found for found in json.loads(capsys.readouterr().out) if found["check"] == "kernels")
    assert finding["verdict"] == "note"
    assert "NUMBA_CACHE_DIR=/proc/nowhere cannot be written" in finding["found"]
    assert "a folder that this process can write" in finding["cure"]


def test_doctor_names_a_poison_and_its_cure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "torchvision.py").write_text("raise RuntimeError('operator torchvision::nms does not exist')")
    monkeypatch.syspath_prepend(tmp_path)
    assert main(["doctor", "--json"]) == 1
    findings = {finding["check"]: finding for finding in json.loads(capsys.readouterr().out)}
    assert findings["torchvision"]["verdict"] == "bad"
    assert "pip uninstall torchvision" in findings["torchvision"]["cure"]
    assert main(["doctor"]) == 1
    assert "bad" in capsys.readouterr().out


def test_doctor_shows_a_cure_in_brackets_as_it_is_to_be_typed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "torchsynth" else find(name))
    monkeypatch.setenv("COLUMNS", "300")
    assert main(["doctor"]) == 0
    assert "pip install 'pairstream[torchsynth]', if" in capsys.readouterr().out


def test_without_torch_a_worker_is_sound_has_the_other_engine_and_says_which(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name.startswith("torch") else find(name))
    assert installed_engines() == ("fused",)
    assert main(["render", "--spec.engine", "torchsynth", "--out", str(tmp_path)]) == 3
    assert "engine='torchsynth' is not an engine of this worker; it has fused" in capsys.readouterr().err
    assert main(["doctor", "--json"]) == 0
    findings = {finding["check"]: finding for finding in json.loads(capsys.readouterr().out)}
    assert {name: findings[name]["verdict"] for name in ("torch", "torchsynth")} == dict.fromkeys(
        ("torch", "torchsynth"), "note"
    )
