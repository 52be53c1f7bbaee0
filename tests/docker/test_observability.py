"""Dashboard, rules and what the processes really export: each names only what the others have."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import defaultdict
from itertools import combinations

import pytest
import yaml
from images import ROOT, RULES, dashboard, metrics_in, panel_queries, rules
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families
from tiny_training import record

from pairstream.stats import ClientStats
from synth_server.metrics import WorkerMetrics
from trainer.metrics import Metrics

GRID_COLUMNS = 24


@pytest.fixture(scope="module")
def exported() -> dict[str, set[str]]:
    """The names of all series as a scraper sees them, with the names of their labels."""
    trainer = Metrics("first", ClientStats, digest="ab")
    trainer.record(record(1))
    labels: dict[str, set[str]] = defaultdict(set)
    for registry in (WorkerMetrics().registry, trainer.registry):
        for family in text_string_to_metric_families(generate_latest(registry).decode()):
            for sample in family.samples:
                labels[sample.name] |= {*sample.labels, "instance", "job"}
    return labels


def recorded() -> set[str]:
    return {rule["record"] for rule in rules() if "record" in rule}


EXPRESSIONS = [
    *(pytest.param(expression, id=f"{title}: {expression[:40]}") for title, expression, _ in panel_queries()),
    *(pytest.param(rule["expr"], id=rule.get("record") or rule["alert"]) for rule in rules()),
]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_every_metric_that_is_asked_for_exists(expression: str, exported: dict[str, set[str]]):
    assert metrics_in(expression) <= exported.keys() | recorded()


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_every_label_that_is_grouped_by_is_one_of_a_metric_in_the_expression(
    expression: str, exported: dict[str, set[str]]
):
    grouped = {
        name.strip()
        for names in re.findall(r"\b(?:by|on|group_left|group_right) ?\(([^)]*)\)", expression)
        for name in names.split(",")
        if name.strip()
    }
    assert grouped <= _labels_of(expression, exported)


@pytest.mark.parametrize(("title", "expression", "legend"), list(panel_queries()))
def test_every_label_in_a_legend_is_one_that_the_answer_has(
    title: str, expression: str, legend: str, exported: dict[str, set[str]]
):
    wanted = set(re.findall(r"{{ ?(\w+) ?}}", legend))
    assert wanted <= _labels_of(expression, exported)
    if kept := re.findall(r"\bby \(([^)]*)\)", expression):
        assert wanted <= {name.strip() for name in kept[0].split(",")}


def _labels_of(expression: str, exported: dict[str, set[str]]) -> set[str]:
    of_rules = {"experiment", "digest", "instance"}
    return set().union(*(exported.get(name, of_rules) for name in metrics_in(expression))) | {"instance", "job"}


def test_panels_do_not_lie_over_each_other_and_all_ask_the_source_that_is_provisioned():
    provisioned = yaml.safe_load((ROOT / "docker/grafana/provisioning/datasources/prometheus.yml").read_text())
    (source,) = provisioned["datasources"]
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        assert panel["description"].endswith(".")
        assert {target["datasource"]["uid"] for target in panel["targets"]} == {source["uid"]}
        assert panel["gridPos"]["x"] + panel["gridPos"]["w"] <= GRID_COLUMNS
    for one, other in combinations([panel["gridPos"] for panel in panels], 2):
        apart_x = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        apart_y = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert apart_x or apart_y, (one, other)


def test_the_dashboard_shows_what_one_wants_to_know():
    shown = {name for _, expression, _ in panel_queries() for name in metrics_in(expression)}
    assert shown >= {
        "pairstream_worker_pairs_rendered_total",
        "pairstream:sharing_ratio",
        "pairstream_worker_stage_seconds_bucket",
        "pairstream_worker_window_bytes",
        "pairstream:experiment_lag_blocks",
        "pairstream:experiment_wait_ratio",
        "pairstream_trainer_loss",
        "pairstream_trainer_alignment",
        "pairstream_trainer_uniformity",
        "pairstream_worker_refusals_total",
    }


def test_every_alert_says_what_is_wrong_and_is_tried_out():
    alerts = {rule["alert"]: rule for rule in rules() if "alert" in rule}
    for rule in alerts.values():
        assert rule["annotations"].keys() == {"summary", "description"}
        assert rule["labels"]["severity"] in ("critical", "warning")
    tried = yaml.safe_load(RULES.with_name("rules_test.yml").read_text())["tests"]
    fired = {case["alertname"] for test in tried for case in test.get("alert_rule_test", []) if "exp_alerts" in case}
    assert fired == alerts.keys()


@pytest.mark.parametrize(
    "command",
    [
        ["check", "rules", "rules.yml"],
        ["check", "config", "prometheus.yml"],
        ["test", "rules", "rules_test.yml"],
    ],
    ids=" ".join,
)
def test_promtool_finds_the_rules_right(command: list[str]):
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("there is no promtool; it comes with Prometheus")
    done = subprocess.run(
        [promtool, *command], cwd=RULES.parent, check=False, capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 0, done.stdout + done.stderr
