"""KEDA's two questions to Prometheus: their metrics exist, and their answers are the numbers of workers meant."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from manifests import one, overlay

from pairstream.stats import Demand
from synth_server.metrics import STAGES, WorkerMetrics
from trainer.metrics import Metrics

TRAINER = 'namespace="pairstream",experiment="first",pod="trainer-0"'
OTHER = 'namespace="pairstream",experiment="second",pod="other-0"'


def question(name: str) -> str:
    triggers = one(overlay("gpu"), "ScaledObject", "worker")["spec"]["triggers"]
    (query,) = [trigger["metadata"]["query"] for trigger in triggers if trigger["name"] == name]
    return str(query)


def test_it_scales_the_workers_and_nothing_else_says_how_many_there_are():
    scaled = one(overlay("gpu"), "ScaledObject", "worker")["spec"]
    assert scaled["scaleTargetRef"] == {"name": "worker"}
    assert "replicas" not in one(overlay("gpu"), "Deployment", "worker")["spec"]
    assert {(trigger["metricType"], trigger["metadata"]["threshold"]) for trigger in scaled["triggers"]} == {
        ("AverageValue", "1")  # so that an answer of n means n workers
    }


def test_every_metric_and_stage_that_is_asked_for_is_one_that_is_served():
    registries = [WorkerMetrics().registry, Metrics("first").registry]
    served = {sample.name for registry in registries for family in registry.collect() for sample in family.samples}
    for name in ("up", "down"):
        asked = set(re.findall(r"\bpairstream_\w+", question(name)))
        assert asked
        assert asked <= served
    (stages,) = re.findall(r'stage=~"([^"]+)"', question("down"))
    assert set(stages.split("|")) == {"sampling", "perturb", "engine"}
    assert set(stages.split("|")) < set(STAGES)


def busy(pod: str, share: float) -> dict[str, str]:
    """A worker that spends this share of its time on rendering, of which a tenth on sampling; and half on sending."""
    labels = f'namespace="pairstream",pod="{pod}"'
    series = {"sampling": share * 0.1, "perturb": 0.0, "engine": share * 0.9, "send": 0.5}
    return {
        f'pairstream_worker_stage_seconds_sum{{{labels},stage="{stage}"}}': f"0+{15 * part}x40"
        for stage, part in series.items()
    }


def waiting(labels: str, fraction: float, desired: float) -> dict[str, str]:
    return {
        f"pairstream_trainer_wait_fraction{{{labels}}}": f"{fraction}x40",
        f"pairstream_workers_desired{{{labels}}}": f"{desired}x40",
    }


@pytest.mark.parametrize(
    ("name", "series", "answer"),
    [
        ("up", waiting(TRAINER, 0.5, 4.0), 4.0),
        ("up", waiting(TRAINER, 0.5, 4.0) | waiting(OTHER, 0.6, 5.0), 5.0),
        ("up", waiting(TRAINER, 0.01, 3.0) | waiting(OTHER, 0.3, 2.9), 2.9),
        ("up", waiting(TRAINER, 0.01, 3.0), None),  # nobody waits, so it is for the other question to say
        ("up", {}, None),
        ("down", busy("worker-a", 0.4), 0.5),
        ("down", busy("worker-a", 0.8) | busy("worker-b", 0.8), 2.0),
        ("down", busy("worker-a", 0.1) | busy("worker-b", 0.1) | busy("worker-c", 0.1), 0.375),
        ("down", {}, None),
    ],
)
def test_prometheus_answers_with_the_number_of_workers_that_is_meant(
    name: str, series: dict[str, str], answer: float | None, tmp_path: Path
):
    promtool = shutil.which("promtool") or pytest.skip("there is no promtool; it comes with Prometheus")
    samples = [] if answer is None else [{"labels": "{}", "value": answer}]
    case: dict[str, Any] = {
        "interval": "15s",
        "input_series": [{"series": one, "values": values} for one, values in series.items()],
        "promql_expr_test": [{"expr": f"round({question(name)}, 1e-6)", "eval_time": "10m", "exp_samples": samples}],
    }
    (tmp_path / "test.yaml").write_text(yaml.safe_dump({"rule_files": [], "tests": [case]}))
    ran = subprocess.run(
        [promtool, "test", "rules", str(tmp_path / "test.yaml")], check=False, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize("wanted", [0.3, 1.0, 3.4, 11.0])
@pytest.mark.parametrize("begin", [1, 3, 16])
def test_it_comes_to_rest_at_enough_workers_and_no_more_than_a_quarter_above(begin: int, wanted: float):
    """A trainer that takes as much as `wanted` workers can render, and workers as many as both questions say."""
    workers, seen = begin, []
    for _ in range(30):
        share = min(1.0, workers / wanted)
        demand = Demand()
        demand.note(600.0, 600.0 * (1 - share))
        up = demand.workers_desired(workers) if 1 - share > 0.05 else 0.0
        down = min(workers, wanted) / 0.8
        workers = max(1, int(-(-max(up, down) // 1)))
        seen.append(workers)
    assert len(set(seen[-10:])) == 1, seen
    assert 0.95 * wanted <= workers <= max(1, wanted / 0.8 + 1)
