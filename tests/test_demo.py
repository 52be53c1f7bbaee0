"""The demonstration from beginning to end, but for most of its training."""

from __future__ import annotations

import base64
import io
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from pairstream import StreamSpec, connect

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent
SECONDS = 180


def demo(*flags: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "examples.demo", *flags]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo") / "run"
    done = demo("--run", str(folder), "--max-steps", "2")
    assert done.returncode == 1, done.stderr
    assert "shows nothing" in done.stderr.splitlines()[-1]
    for said in ("This is a demonstration", "trainer fit --preset paper", str(folder / "pairs.html")):
        assert said in done.stdout
    return folder


def test_the_report_says_what_was_measured(run: Path):
    report = json.loads((run / "report.json").read_text())
    assert report["pairs"] == 2 * report["spec"]["block_pairs"]
    assert report["pairs_per_second"] == pytest.approx(report["pairs"] / report["seconds"])
    assert 0 <= report["trainer_wait_fraction"] <= 1
    assert set(report["loss"]) == {"first", "last"}
    assert report["hit_at_1"]["chance"] == 1 / 512
    assert report["hit_at_1"]["before"] > report["hit_at_1"]["chance"]
    assert report["learned"] is False


def test_the_page_holds_the_very_sounds_and_needs_no_other_file(run: Path):
    page = (run / "pairs.html").read_text()
    spec = StreamSpec.from_dict(json.loads((run / "report.json").read_text())["spec"])
    sources = re.findall(r'src="([^"]*)"', page)
    assert all(source.startswith("data:") for source in sources)
    assert not re.search(r"https?://|<script|<link", page)
    sounds = [source for source in sources if source.startswith("data:audio/wav")]
    assert (page.count("<article"), len(sounds), len(sources)) == (12, 24, 48)
    with connect("local://", spec) as client:
        block = client.fetch(0)
    for number, source in enumerate(sounds):
        samples, rate = soundfile.read(io.BytesIO(base64.b64decode(source.partition(",")[2])), dtype="float32")
        assert rate == spec.sample_rate
        assert np.abs(samples - block.audio[number // 2, number % 2]).max() <= 2.0**-15
    assert f"synth-server render --index=0 --pairs=12 --spec.delta={spec.delta}" in page


def test_a_folder_without_a_manifest_is_refused_before_anything_is_trained(tmp_path: Path):
    done = demo("--run", str(tmp_path / "run"), "--data", str(tmp_path))
    assert done.returncode == 7
    assert done.stdout == ""
    assert f"there is no {tmp_path / 'manifest.csv'}" in done.stderr
    assert not (tmp_path / "run").exists()


def test_an_earlier_demonstration_is_replaced_but_nothing_else_is(run: Path, tmp_path: Path):
    treasure = tmp_path / "thesis"
    treasure.mkdir()
    (treasure / "chapter.tex").write_text("years of work")
    (treasure / "config.json").write_text("{}")  # as a training has one, too
    done = demo("--run", str(treasure), "--max-steps", "2")
    assert done.returncode == 2
    assert done.stderr.strip().splitlines() == [
        f"demo: error: {treasure} exists and is not a demonstration's; remove it or choose another --run"
    ]
    assert (treasure / "chapter.tex").exists()
