"""The Prometheus metrics, as a scraper sees them."""

from __future__ import annotations

import re
from functools import partial
from urllib.request import urlopen

import pytest
from tiny_training import record

from pairstream.errors import BindError
from pairstream.stats import ClientStats
from trainer.meter import Spent
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
        "pairstream_trainer_step": 5,
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


def test_a_session_that_goes_on_with_a_run_counts_only_what_it_does_itself() -> None:
    metrics = Metrics("first", before=lambda: Spent(steps=1_000, pairs=1_000, seconds=0.25, waited=0.5))
    metrics.record(record(1_003))
    metrics.record(record(1_004))
    value = partial(metrics.registry.get_sample_value, labels={"experiment": "first"})
    assert value("pairstream_trainer_step") == 1_004
    assert value("pairstream_trainer_steps_total") == 4
    assert value("pairstream_trainer_pairs_total") == 4
    assert value("pairstream_trainer_run_seconds_total") == 0.75


def test_whoever_looks_can_see_which_experiments_share_a_stream() -> None:
    registry = Metrics("first", digest="ab12").registry
    labels = {"experiment": "first", "digest": "ab12"}
    assert registry.get_sample_value("pairstream_trainer_stream_info", labels) == 1


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


def test_what_only_this_objective_names_has_a_label() -> None:
    metrics = Metrics("first")
    metrics.record(record(3, variance=0.75, covariance=2.0))
    for term, value in (("variance", 0.75), ("covariance", 2.0)):
        labels = {"experiment": "first", "term": term}
        assert metrics.registry.get_sample_value("pairstream_trainer_objective_term", labels) == value
