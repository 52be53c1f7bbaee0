"""`trainer probe` as a command: what it shows and writes, and that what is wrong is one line."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from pairstream.errors import ConfigError, DataError
from trainer import cli

pytestmark = pytest.mark.filterwarnings("ignore:.*LeafSpec:FutureWarning")


def test_the_command_shows_and_writes_the_tables(
    tmp_path: Path, run: Path, pitches: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {kind: tmp_path / f"extra.{kind}" for kind in ("json", "csv", "markdown")}
    arguments = [
        "probe",
        "--checkpoint",
        str(run),
        "--data",
        str(pitches),
        "--probe",
        "linear",
        "--cache",
        str(tmp_path),
    ]
    arguments += [word for kind, file in files.items() for word in (f"--{kind}", str(file))]
    assert cli.main([*arguments, "--accelerator", "cpu", "--jobs", "1", "--untrained", "0", "--quiet"]) == 0
    assert "pitches" in capsys.readouterr().out
    written = json.loads(files["json"].read_text())
    assert written == json.loads((run / "probe.json").read_text())
    assert written["cells"][0] == {
        "probe": "linear", "row": "log-mel", "data": "pitches", "mean": 1.0, "low": 1.0, "high": 1.0,
        "over": "12 recordings",
    }  # fmt: skip
    lines = list(csv.DictReader(files["csv"].read_text().splitlines()))
    assert len(lines) == len(written["results"]) == 5
    assert (lines[0]["row"], lines[0]["accuracy"]) == ("log-mel", "1.000000")
    for file in (files["markdown"], run / "probe.md"):
        assert "| log-mel | **1.000 ± 0.000** |" in file.read_text()


def test_a_section_is_replaced_and_the_rest_kept(tmp_path: Path, run: Path, pitches: Path) -> None:
    file = tmp_path / "results.md"
    file.write_text("# Results\n\n<!-- begin: small -->\noutdated\n<!-- end: small -->\n\nWhat it means.\n")
    arguments = ["probe", "--checkpoint", str(run), "--data", str(pitches), "--probe", "knn", "--cache", str(tmp_path)]
    arguments += ["--markdown", str(file), "--section", "small", "--jobs", "1", "--untrained", "0", "--quiet"]
    assert cli.main(arguments) == 0
    first = file.read_text()
    assert first.startswith("# Results\n\n<!-- begin: small -->\n\n| recordings |")
    assert first.endswith("<!-- end: small -->\n\nWhat it means.\n")
    assert "outdated" not in first
    assert cli.main(arguments) == 0
    assert file.read_text() == first


def test_a_file_without_the_section_is_left_alone(
    tmp_path: Path, run: Path, pitches: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mine.md"
    file.write_text("mine")
    arguments = ["probe", "--checkpoint", str(run), "--data", str(pitches), "--probe", "knn", "--cache", str(tmp_path)]
    assert (
        cli.main([*arguments, "--markdown", str(file), "--jobs", "1", "--untrained", "0", "--quiet"])
        == ConfigError.exit_code
    )
    assert "<!-- begin: probe -->" in capsys.readouterr().err
    assert file.read_text() == "mine"


def test_a_damaged_clip_is_one_line_and_no_traceback(
    tmp_path: Path, run: Path, pitches: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (pitches / "3.flac").write_bytes(b"no audio")
    arguments = ["probe", "--checkpoint", str(run), "--data", str(pitches), "--cache", str(tmp_path), "--quiet"]
    assert cli.main(arguments) == DataError.exit_code
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "3.flac: it cannot be read as audio" in error
    assert not (run / "probe.json").exists()


@pytest.mark.parametrize("kind", ["json", "csv", "markdown"])
def test_a_folder_where_a_file_should_be_written_is_one_line(
    tmp_path: Path, run: Path, pitches: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["probe", "--checkpoint", str(run), "--data", str(pitches), "--probe", "knn", "--cache", str(tmp_path)]
    arguments += [f"--{kind}", str(tmp_path), "--jobs", "1", "--untrained", "0", "--quiet"]
    assert cli.main(arguments) == ConfigError.exit_code
    (line,) = capsys.readouterr().err.splitlines()
    assert "cannot write" in line
    assert str(tmp_path) in line


def test_what_was_asked_for_is_written_though_the_run_folder_cannot_be(
    tmp_path: Path, run: Path, pitches: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (run / "probe.md").mkdir()
    arguments = ["probe", "--checkpoint", str(run), "--data", str(pitches), "--probe", "knn", "--cache", str(tmp_path)]
    arguments += ["--json", str(tmp_path / "wanted.json"), "--jobs", "1", "--untrained", "0", "--quiet"]
    assert cli.main(arguments) == 0
    assert json.loads((tmp_path / "wanted.json").read_text())["cells"]
    assert "probe.md" in caplog.text


def test_a_name_may_have_brackets(tmp_path: Path, run: Path, pitches: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["probe", "--checkpoint", f"x[/y]={run}", "--data", str(pitches), "--probe", "knn", "--jobs", "1"]
    assert cli.main([*arguments, "--cache", str(tmp_path), "--untrained", "0", "--quiet"]) == 0
    assert "x[/y]" in capsys.readouterr().out
