"""The manifests' own command lines, found through the system's resolver as in a cluster: nothing is lost on the way."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import cluster_scenes
import little_cluster
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def seen(scene: str, folder: Path) -> dict[str, Any]:
    """What was seen in a scene."""
    if subprocess.run(little_cluster.command("true"), check=False, capture_output=True).returncode != 0:
        pytest.skip("namespaces of one's own are not permitted here")
    words = little_cluster.command(sys.executable, cluster_scenes.__file__, scene, str(folder))
    ran = subprocess.run(words, check=False, capture_output=True, text=True, timeout=570)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return dict(json.loads((folder / "seen.json").read_text()))


def test_workers_come_and_go_behind_their_service_while_a_client_reads(tmp_path: Path):
    scene = seen("scale", tmp_path)
    assert scene["hashes"] == scene["expected"]
    assert scene["read"] == sorted(set(scene["read"])), "it read on in every part"
    assert scene["codes"] == [0, 0, 0]
    asked = {name for name in scene["asked"] if not name.endswith("PTR")}
    assert asked == {f"worker.pairstream.svc.cluster.local. {kind}" for kind in ("A", "AAAA")}, (
        "its own search path first"
    )


def test_pairs_come_through_a_relay(tmp_path: Path):
    scene = seen("relay", tmp_path)
    assert scene["hashes"] == scene["expected"]
    assert scene["codes"] == [0, 0]


def test_the_pods_of_a_job_meet_by_name_and_go_on_after_one_is_lost(tmp_path: Path):
    scene = seen("train", tmp_path)
    assert all(code != 0 for code in scene["codes"]), "without one of them the other ends, too, and is started again"
    assert scene["finished"] == [0, 0], scene["log"]
    journal = [json.loads(line) for line in (tmp_path / "first/metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in journal] == [*range(1, cluster_scenes.STEPS + 1)]
    assert [line["next_index"] for line in journal] == [2 * step for step in range(1, cluster_scenes.STEPS + 1)]
    assert scene["asked"].count("trainer-0.trainer.pairstream.svc.cluster.local. A") > 1, "it was not known at once"
    hosts = {name.partition(".")[0] for name in scene["asked"] if not name.endswith("PTR")}
    assert hosts == {"worker", "trainer-0"}, "nobody tells anybody else of it"
    (kept,) = re.findall(r"step-(\d+).ckpt", scene["newest"])
    assert scene["resumed_at"] > [int(kept)]
