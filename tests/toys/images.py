"""The files that the images and the services are made from, parsed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent.parent
RULES = ROOT / "docker/prometheus/rules.yml"

_STRING = re.compile(r'"[^"]*"')
_METRIC = re.compile(r"\b(?:pairstream[_:]|process_)[a-z_:]+\b")


def compose(name: str = "docker-compose.yml") -> dict[str, Any]:
    """A compose file, without its variables' values."""
    parsed: dict[str, Any] = yaml.safe_load((ROOT / name).read_text())
    return parsed


def settings() -> dict[str, str]:
    """The variables of .env."""
    lines = [line for line in (ROOT / ".env").read_text().splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def dashboard() -> dict[str, Any]:
    """The one that Grafana shows."""
    parsed: dict[str, Any] = json.loads((ROOT / "docker/grafana/dashboards/pairstream.json").read_text())
    return parsed


def panel_queries() -> Iterator[tuple[str, str, str]]:
    """Of every panel: its title, and each expression with its legend."""
    for panel in dashboard()["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"], target["legendFormat"]


def rules() -> list[dict[str, Any]]:
    """All recording and alert rules."""
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def metrics_in(expression: str) -> set[str]:
    """The names of all metrics of ours, and of the process's, in a PromQL expression."""
    return set(_METRIC.findall(_STRING.sub("", expression)))
