"""The Prometheus metrics, as a scraper sees them."""

from __future__ import annotations

import re
from urllib.request import urlopen

import pytest
from tiny_training import record

from pairstream.errors import BindError
from pairstream.stats import ClientStats
from trainer.metrics import Metrics, ServedMetrics


def scraped(port: int) -> dict[str, float]:
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        text = answer.read().decode()
    found = re.findall(r'^(\w+)\{experiment="first"\} (\S+)$', text, flags=re.MULTILINE)
    return {name: float(value) for name, value in found if not name.endswith("_created")}


def test_a_scraper_sees_the_last_record() -> None:
    measured = [
        ClientStats(steps=3, waited_seconds=0.25, hedges=1, workers=2, workers_desired=2.0),
        ClientStats(steps=5, waited_seconds=0.5, hedges=1, reasks=4, duplicates=1, workers=2, workers_desired=3.5),
        ClientStats(steps=1, waited_seconds=0.125, busy=1, workers=4, workers_desired=4.0),  # a client opened anew
    ]
    metrics = ServedMetrics("first", "127.0.0.1", 0, iter(measured).__next__)
    try:
        metrics.record(record(3))
        metrics.record(record(5, loss=-2.5))
        metrics.record(record(5, loss=-2.5))
        seen = scraped(metrics.port)
    finally:
        metrics.close()
    assert seen == {
        "pairstream_trainer_steps_total": 5,
        "pairstream_trainer_pairs_total": 5,
        "pairstream_trainer_run_seconds_total": 1.0,
        "pairstream_trainer_wait_seconds_total": 0.5,
        "pairstream_trainer_wait_fraction": 0.5,
        "pairstream_trainer_pairs_per_second": 1.0,
        "pairstream_trainer_loss": -2.5,
        "pairstream_trainer_alignment": 1.0,
        "pairstream_trainer_uniformity": -2.0,
        "pairstream_trainer_learning_rate": 0.1,
        "pairstream_trainer_cursor_index": 5,
        "pairstream_client_blocks_total": 6,
        "pairstream_client_wait_seconds_total": 0.625,
        "pairstream_client_hedges_total": 1,
        "pairstream_client_reasks_total": 4,
        "pairstream_client_duplicates_total": 1,
        "pairstream_client_busy_total": 1,
        "pairstream_client_workers": 4,
        "pairstream_workers_desired": 4.0,
    }


def test_a_port_in_use_is_refused_with_the_remedy() -> None:
    metrics = ServedMetrics("first", "127.0.0.1", 0)
    try:
        with pytest.raises(BindError, match=rf"127\.0\.0\.1:{metrics.port}.*--metrics_port"):
            ServedMetrics("second", "127.0.0.1", metrics.port)
    finally:
        metrics.close()


def test_two_trainers_in_a_process_do_not_share_metrics() -> None:
    one, other = Metrics("first"), Metrics("first")
    one.record(record(3))
    assert other.registry.get_sample_value("pairstream_trainer_steps_total", {"experiment": "first"}) == 0
