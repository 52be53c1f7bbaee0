"""The panels of the dashboard as one picture: what Prometheus answered to their queries, drawn by matplotlib.

    python -m benchmarks.dashboard --minutes 10 --out docs/images/dashboard.png

It is not Grafana: it shows the same data, by the same queries, from docker/grafana/dashboards/pairstream.json.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.axes import Axes

DASHBOARD = Path("docker/grafana/dashboards/pairstream.json")
STEP_SECONDS = 5
COLUMNS = 3


def ask(prometheus: str, expression: str, minutes: float) -> list[dict[str, Any]]:
    """The series of an expression over the last minutes."""
    now = time.time()
    words = {"query": expression, "start": now - 60 * minutes, "end": now, "step": STEP_SECONDS}
    with urlopen(f"{prometheus}/api/v1/query_range?{urlencode(words)}", timeout=30) as answer:
        found: list[dict[str, Any]] = json.load(answer)["data"]["result"]
    return found


def legend(template: str, labels: dict[str, str]) -> str:
    """Grafana's `{{label}}`, filled in."""
    for name, value in labels.items():
        template = template.replace("{{" + name + "}}", value)
    return template


def draw(axes: Axes, panel: dict[str, Any], prometheus: str, minutes: float) -> None:
    """One panel, over minutes before now."""
    defaults = panel["fieldConfig"]["defaults"]
    for target in panel["targets"]:
        for series in ask(prometheus, target["expr"], minutes):
            times, values = zip(*series["values"], strict=True)
            ago = [(float(moment) - time.time()) / 60 for moment in times]
            axes.plot(
                ago, [float(value) for value in values], lw=1.2, label=legend(target["legendFormat"], series["metric"])
            )
    axes.set_title(panel["title"], fontsize=9, loc="left")
    axes.tick_params(labelsize=7)
    axes.grid(alpha=0.25)
    axes.set_xlim(-minutes, 0)
    if defaults["custom"].get("scaleDistribution"):
        axes.set_yscale("log")
    elif "min" in defaults:
        axes.set_ylim(bottom=defaults["min"], top=defaults.get("max"))
    if axes.lines:
        axes.legend(fontsize=6, frameon=False, loc="best")


def main() -> None:
    """Ask, draw, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prometheus", default="http://127.0.0.1:9090")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--out", type=Path, default=Path("docs/images/dashboard.png"))
    chosen = parser.parse_args()
    panels = [panel for panel in json.loads(DASHBOARD.read_text())["panels"] if panel["type"] == "timeseries"]
    rows = -(-len(panels) // COLUMNS)
    figure, grid = plt.subplots(rows, COLUMNS, figsize=(12, 2.1 * rows), layout="constrained")
    for axes in list(grid.flat)[len(panels) :]:
        axes.remove()
    for axes, panel in zip(grid.flat, panels, strict=False):
        draw(axes, panel, chosen.prometheus, chosen.minutes)
    figure.supxlabel(
        "minutes before now – what Prometheus answered to the dashboard's queries, drawn by matplotlib", fontsize=8
    )
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(chosen.out, dpi=90)
    print(f"{chosen.out}: {len(panels)} panels, {chosen.out.stat().st_size // 1024} kB")


if __name__ == "__main__":
    main()
