"""Both console scripts: settings from flags, files and the environment; every error one line and an exit code."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pairstream import StreamSpec, connect, console, errors
from pairstream.errors import PairstreamError, RefusedError
from synth_server.cli import main as synth_server
from trainer.cli import main as trainer


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        ([], "expected"),
        (["serv"], "invalid choice: 'serv'"),
        (["render", "--pears", "3"], "--pears"),
        (["render", "--pairs", "many"], "many"),
        (["render", "--pairs", "0"], "pairs=0"),
        (["render", "--index", "-1"], "index=-1"),
        (["render", "--spec.delta", "-1"], "delta=-1.0"),
        (["render", "--spec.delta", "{pitch: 0.1}"], "add 'rest'"),
        (["render", "--spec.oscillators", "4"], "a Mapping. Got value: 4"),
        (["render", "--spec.oscillators", "{sine: many}"], "many"),
        (["render", "--spec.oscillators.sine", "many"], "many"),
        (["render", "--spec.oscillators.fm-sine", "-1"], "oscillators['fm_sine']=-1"),
        (["render", "--spec.oscillators.fm-sine", "65"], "use 0 to 64"),
        (["render", "--config", "/nowhere.yaml"], "/nowhere.yaml"),
        (["serve", "--bind", "127.0.0.1:5555"], "write tcp://HOST:PORT"),
        (["serve", "--bind", "tcp://0.0.0.0:5555"], "--insecure"),
        (["serve", "--threads", "-1"], "threads=-1"),
        (["serve", "--log_level", "loud"], "loud"),
        (["status", "nowhere"], "workers='nowhere'"),
        (["bench", "--blocks", "0"], "blocks=0"),
    ],
)
def test_wrong_input_is_one_line_that_quotes_it_and_exit_code_2(
    argv: list[str], says: str, capsys: pytest.CaptureFixture[str]
):
    assert synth_server(argv) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    assert err.startswith("synth-server: error: ")
    assert says in err


def test_a_synth_that_does_not_exist_is_named_with_those_that_do(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    assert synth_server(["render", "--spec.synth", "theremin", "--out", str(tmp_path)]) == 3
    err = capsys.readouterr().err
    assert len(err.splitlines()) == 1
    assert "theremin" in err
    assert "voice, voice-fm, parametric" in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("synth", "numbers", "says"),
    [
        ("voice", "{sine: 3}", "use parametric, which does"),
        ("parametric", "{triangle: 1}", "'triangle'; it has sine, square_saw, fm_sine, fm_square_saw"),
        ("parametric", "{sine: 0, square_saw: 0, fm_sine: 0, fm_square_saw: 0}", "not all 0"),
        ("parametric", "{sine: 64}", "68 of all kinds, at most 24"),
    ],
)
def test_oscillators_that_a_patch_does_not_have_are_refused(
    synth: str, numbers: str, says: str, capsys: pytest.CaptureFixture[str]
):
    assert synth_server(["render", "--spec.synth", synth, "--spec.oscillators", numbers]) == 3
    err = capsys.readouterr().err
    assert len(err.splitlines()) == 1
    assert says in err


def test_the_numbers_of_oscillators_are_said_together_or_one_by_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    small = ["--pairs", "1", "--spec.block-pairs", "1", "--spec.seconds", "0.1", "--spec.synth", "parametric"]
    together = ["--spec.oscillators", "{sine: 3, fm_sine: 0}"]
    one_by_one = ["--spec.oscillators.fm-sine", "0", "--spec.oscillators.sine", "3"]
    for said in (together, one_by_one):
        assert synth_server(["render", "--out", str(tmp_path), *small, *said]) == 0
    paths = set(capsys.readouterr().out.split())
    assert len(paths) == 1
    about = json.loads(Path(paths.pop()).read_text())
    assert about["spec"]["oscillators"] == {"sine": 3, "fm_sine": 0}
    assert len(about["parameters"]) == 337


@pytest.mark.parametrize("command", ["render", "bench"])
def test_a_block_that_would_fill_the_memory_is_refused_before_it_is_begun(
    command: str, capsys: pytest.CaptureFixture[str]
):
    assert synth_server([command, "--spec.block-pairs", "100000"]) == 3
    assert "lower block_pairs" in capsys.readouterr().err
    with pytest.raises(RefusedError, match="lower block_pairs"):
        connect("local://", StreamSpec(block_pairs=100_000))


def test_a_worker_that_does_not_answer_is_exit_code_4(capsys: pytest.CaptureFixture[str]):
    assert synth_server(["status", "127.0.0.1:1", "--timeout", "2"]) == 4
    assert "synth-server serve" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["fit", "probe"])
def test_the_trainer_speaks_the_same_way(command: str, capsys: pytest.CaptureFixture[str]):
    assert trainer([command, "--nonsense", "1"]) == 2
    err = capsys.readouterr().err
    assert len(err.splitlines()) == 1
    assert err.startswith("trainer: error: ")


def test_settings_come_from_a_file_and_the_environment_and_flags_win(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    config = tmp_path / "render.yaml"
    config.write_text(f"out: {tmp_path / 'from-file'}\npairs: 1\nspec:\n  block_pairs: 2\n  seconds: 0.1\n  seed: 5\n")
    monkeypatch.setenv("SYNTH_SERVER_RENDER__SPEC__SYNTH", "voice-fm")
    assert synth_server(["render", "--config", str(config), "--spec.seed", "6"]) == 0
    (path,) = capsys.readouterr().out.split()
    about = json.loads(Path(path).read_text())
    assert Path(path).parent.name == "from-file"
    assert (about["spec"]["synth"], about["spec"]["seed"], about["spec"]["block_pairs"]) == ("voice-fm", 6, 2)


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("SYNTH_SERVER_SERVE__INSECURE", "true", True),
        ("SYNTH_SERVER_SERVE__WINDOW_MIB", "7", 7),
        ("SYNTH_SERVER_SERVE__LOG_FORMAT", "json", "json"),
        ("SYNTH_SERVER_BENCH__SOUNDS", "[1, 2]", [1, 2]),
        ("TRAINER_FIT__RESUME_OR_START", "true", True),
        ("TRAINER_FIT__METRICS_PORT", "9100", 9100),
        ("TRAINER_FIT__START", "head", "head"),
        ("TRAINER_FIT__RUN", "/runs/one", Path("/runs/one")),
    ],
)
def test_a_switch_a_number_a_list_and_a_path_can_all_be_said_by_a_variable(
    variable: str, value: str, expected: object, monkeypatch: pytest.MonkeyPatch
):
    seen: list[Any] = []
    monkeypatch.setattr(console, "import_module", lambda _: SimpleNamespace(run=seen.append))
    monkeypatch.setenv("TRAINER_FIT__RUN", "somewhere")
    monkeypatch.setenv(variable, value)
    command, _, field = variable.lower().partition("__")
    prog, _, name = command.rpartition("_")
    assert {"synth_server": synth_server, "trainer": trainer}[prog]([name]) == 0
    assert getattr(seen[0], field) == expected


def test_every_error_has_the_exit_code_that_its_docstring_says():
    lines = [line.split() for line in (errors.__doc__ or "").splitlines() if "─" in line or "PairstreamError  " in line]
    documented = {}
    for words in lines:
        name, code = [word for word in words if word.endswith("Error") or word.isdigit()][:2]
        documented[name] = int(code)
    tree = [cls for cls in vars(errors).values() if isinstance(cls, type) and issubclass(cls, PairstreamError)]
    assert documented == {cls.__name__: cls.exit_code for cls in tree}


def test_help_shows_the_line_under_every_field():
    done = subprocess.run(
        [sys.executable, "-m", "synth_server.cli", "serve", "--help"], check=True, capture_output=True, timeout=60
    )
    text = " ".join(done.stdout.decode().split())
    for part in ("port 0 means any free one", "SYNTH_SERVER_SERVE__BIND", "Listen beyond this machine"):
        assert part in text


def test_a_reader_that_goes_away_is_no_error():
    done = subprocess.run(
        f"{sys.executable} -m synth_server.cli status --help | head -1",
        shell=True,
        check=True,
        capture_output=True,
        timeout=60,
    )
    assert done.stderr == b""


@pytest.mark.parametrize(
    ("variable", "meant"),
    [("CURVE_KEYS", "CURVE_KEY"), ("THREDS", "THREADS"), ("NONSENSE", "see --help")],
)
def test_a_variable_that_is_misspelt_is_refused(
    variable: str, meant: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv(f"SYNTH_SERVER_SERVE__{variable}", "4")
    assert synth_server(["serve"]) == 2
    err = capsys.readouterr().err
    assert len(err.splitlines()) == 1
    assert f"SYNTH_SERVER_SERVE__{variable} is no setting" in err
    assert meant in err


def test_the_environment_may_name_the_command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TRAINER_COMMAND", "runs")
    assert trainer([]) == 2
    assert "runs.folder" in capsys.readouterr().err
