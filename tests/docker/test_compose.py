"""docker-compose.yml in a real engine: two experiments on one stream, and whatever happens to workers and trainers.

The tests of this file are one story, told in order: what was killed in one is up again in the next.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Any
from urllib.parse import quote
from urllib.request import urlopen

import pytest
from compose_stack import PROJECT, Stack, engine_trouble, free_port, until
from images import ROOT, panel_queries, rules, settings

pytestmark = [pytest.mark.docker, pytest.mark.timeout(900)]

RUNS = ("one", "two")
TRAINERS = ("trainer", "trainer-two")
WORKER_PORT, TRAINER_PORT = 5557, 9100


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    if trouble := engine_trouble():
        pytest.skip(trouble)
    chosen = {
        "PAIRSTREAM_WHEELS": os.environ.get("PAIRSTREAM_WHEELS") or os.environ.get("PIP_FIND_LINKS") or "docker/wheels",
        "PAIRSTREAM_BLOCK_PAIRS": "16",
        "PAIRSTREAM_CHECKPOINT_EVERY": "20",
        "PAIRSTREAM_LOG_EVERY": "1",
        "PAIRSTREAM_STEPS": "100000",
        "PAIRSTREAM_TRAINER_THREADS": "1",
        **{f"PAIRSTREAM_{name}_PORT": free_port() for name in ("LISTEN", "PROMETHEUS", "GRAFANA")},
    }
    services = Stack(chosen, ROOT / "tests/docker/small.yml")
    services.compose("down", "--volumes", "--remove-orphans")
    services.compose("build", "--quiet", seconds=1_800)
    try:
        try:
            services.compose("up", "--detach", "--wait", "worker", *TRAINERS, "listen", "prometheus", seconds=600)
        except subprocess.SubprocessError as error:
            error.add_note(services.compose("logs", "--no-color", "--tail=20"))
            raise
        yield services
    finally:
        services.compose("down", "--volumes", "--remove-orphans")


def last_step(stack: Stack, run: str) -> int:
    journal = stack.journal(run)
    return int(journal[-1]["step"]) if journal else 0


def advance(stack: Stack, steps: int) -> None:
    """Wait until both experiments have made so many steps more."""
    goals = {run: last_step(stack, run) + steps for run in RUNS}
    for run, goal in goals.items():
        until(partial(has_reached, stack, run, goal), f"step {goal} of {run}")


def has_reached(stack: Stack, run: str, step: int) -> bool:
    return last_step(stack, run) >= step


def assert_every_block_once(journal: list[dict[str, Any]]) -> None:
    """Since a step takes one block: steps and blocks both count up by one."""
    steps, blocks = [record["step"] for record in journal], [record["index"] for record in journal]
    assert steps == list(range(1, len(steps) + 1))
    assert blocks == list(range(blocks[0], blocks[0] + len(blocks)))
    assert [record["next_index"] for record in journal] == [block + 1 for block in blocks]


def name_of(container: dict[str, Any]) -> str:
    return str(container["Name"])[1:]


@pytest.mark.parametrize(
    ("image", "without"),
    [
        ("pairstream-worker", ["pytorch_lightning", "sklearn", "tensorboard", "pip"]),
        ("pairstream-trainer", ["torchsynth", "pip"]),
    ],
)
def test_images_are_small_and_hold_what_they_need(stack: Stack, image: str, without: list[str]):
    tag = f"{image}:{settings()['PAIRSTREAM_VERSION']}"
    size, user, version = subprocess.run(
        [
            *("docker", "image", "inspect", tag, "--format"),
            '{{.Size}} {{.Config.User}} {{index .Config.Labels "org.opencontainers.image.version"}}',
        ],
        check=True, capture_output=True, text=True, timeout=60,
    ).stdout.split()  # fmt: skip
    assert int(size) < 1_500_000_000
    assert (user, version) == ("10001:10001", settings()["PAIRSTREAM_VERSION"])
    script = f"from importlib.util import find_spec; print([name for name in {without} if find_spec(name)])"
    found = subprocess.run(
        ["docker", "run", "--rm", "--entrypoint", "python", tag, "-c", script],
        check=True, capture_output=True, text=True, timeout=60,
    ).stdout  # fmt: skip
    assert found.strip() == "[]"


@pytest.mark.parametrize("service", ["worker", *TRAINERS, "listen"])
def test_a_container_may_do_nothing_and_write_nowhere_but_in_its_volumes(stack: Stack, service: str):
    (container,) = stack.containers(service)
    script = "for place in / /opt/venv /etc; do touch $place/x 2>/dev/null && echo $place; done; "
    script += "id -u; grep -E 'CapEff|CapBnd|NoNewPrivs' /proc/self/status"
    said = stack.run(name_of(container), "sh", "-c", script).split()
    assert said == ["10001", "CapEff:", "0" * 16, "CapBnd:", "0" * 16, "NoNewPrivs:", "1"]


def test_both_experiments_learn_from_what_is_rendered_once(stack: Stack):
    advance(stack, 5)

    def counts() -> tuple[float, float]:
        names = ("pairstream_worker_blocks_served_total", "pairstream_worker_blocks_rendered_total")
        served, rendered = (sum(stack.each("worker", name, WORKER_PORT)) for name in names)
        return served, rendered

    before = counts()
    advance(stack, 40)
    served, rendered = (now - then for now, then in zip(counts(), before, strict=True))
    assert rendered >= 30
    assert 1.7 <= served / rendered <= 2.3
    for run in RUNS:
        assert_every_block_once(stack.journal(run))


def test_all_that_is_logged_is_json(stack: Stack):
    for service in ("worker", *TRAINERS, "listen"):
        (container,) = stack.containers(service)
        events = [json.loads(line) for line in stack.log(name_of(container))]
        assert all({"time", "level", "logger", "event"} <= event.keys() for event in events)
        assert events


def test_the_page_plays_what_the_workers_render(stack: Stack):
    page = f"http://127.0.0.1:{stack.settings['PAIRSTREAM_LISTEN_PORT']}"
    with urlopen(f"{page}/api/start", timeout=30) as answer:
        assert answer.status == 200
    with urlopen(page, timeout=30) as answer:
        assert b"<html" in answer.read()


def test_workers_come_and_go_without_a_lost_or_repeated_block_and_nobody_is_restarted(stack: Stack):
    trainers = [stack.containers(name)[0] for name in TRAINERS]
    stack.compose("up", "--detach", "--wait", "--no-recreate", "--scale", "worker=4", "worker", seconds=300)
    assert stack.healthy("worker") == 4
    seen = partial(stack.each, service="trainer", name="pairstream_client_workers", port=TRAINER_PORT)
    until(lambda: seen() == [4], "the first experiment is served by four")
    advance(stack, 40)
    rendered = partial(stack.each, service="worker", name="pairstream_worker_blocks_rendered_total", port=WORKER_PORT)
    until(lambda: min(rendered()) > 0, "each of the four has rendered something")
    stack.compose("up", "--detach", "--no-recreate", "--scale", "worker=1", "worker", seconds=120)
    advance(stack, 40)
    assert len(stack.containers("worker")) == 1
    now = [stack.containers(name)[0] for name in TRAINERS]
    assert [item["State"]["StartedAt"] for item in now] == [item["State"]["StartedAt"] for item in trainers]
    for run in RUNS:
        assert_every_block_once(stack.journal(run))


def test_a_worker_that_is_killed_comes_back_and_is_found_again(stack: Stack):
    (worker,) = stack.containers("worker")
    stack.kill_main_process(name_of(worker))
    until(lambda: stack.containers("worker")[0]["RestartCount"] == 1, "the worker is started again", 60)
    until(lambda: stack.healthy("worker") == 1, "it is healthy again", 60)
    advance(stack, 20)
    for run, trainer in zip(RUNS, TRAINERS, strict=True):
        assert_every_block_once(stack.journal(run))
        assert stack.containers(trainer)[0]["RestartCount"] == 0


def test_a_trainer_that_is_killed_goes_on_and_its_curve_too(stack: Stack):
    advance(stack, 25)  # past a checkpoint
    before = stack.journal("one")
    stack.kill_main_process(name_of(stack.containers("trainer")[0]))
    until(lambda: stack.containers("trainer")[0]["RestartCount"] == 1, "the trainer is started again", 60)
    until(lambda: last_step(stack, "one") >= before[-1]["step"] + 20, "it has made more steps than before")
    until(lambda: stack.healthy("trainer") == 1, "it is healthy again", 60)
    after = stack.journal("one")
    assert_every_block_once(after)
    curve = [record["loss"] for record in after[: len(before)]]
    assert curve == [record["loss"] for record in before]


def test_prometheus_finds_everybody_loads_the_rules_and_answers_every_panel(stack: Stack):
    stack.compose("up", "--detach", "--wait", "--no-recreate", "--scale", "worker=2", "worker", seconds=300)

    def up() -> Counter[str]:
        targets = stack.prometheus("targets")["activeTargets"]
        return Counter(target["labels"]["job"] for target in targets if target["health"] == "up")

    until(lambda: up() == {"workers": 2, "trainers": 2, "prometheus": 1}, "all targets are up", 90)
    loaded = [rule for group in stack.prometheus("rules")["groups"] for rule in group["rules"]]
    assert {rule["name"] for rule in loaded} == {rule.get("record") or rule["alert"] for rule in rules()}
    assert {rule["health"] for rule in loaded} <= {"ok", "unknown"}
    for title, expression, _ in panel_queries():
        until(partial(answers, stack, expression), f"an answer for {title}: {expression}", 90)
    assert float(answers(stack, "pairstream:sharing_ratio")[0]["value"][1]) > 1


def answers(stack: Stack, expression: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = stack.prometheus(f"query?query={quote(expression)}")["result"]
    return found


def test_grafana_shows_the_dashboard(stack: Stack):
    image = f"grafana/grafana:{settings()['PAIRSTREAM_GRAFANA_TAG']}"
    found = subprocess.run(["docker", "image", "inspect", image], check=False, capture_output=True, timeout=60)
    if found.returncode:
        pytest.skip(f"the image {image} is not in this engine")
    stack.compose("up", "--detach", "--no-recreate", "grafana", seconds=120)
    address = f"http://127.0.0.1:{stack.settings['PAIRSTREAM_GRAFANA_PORT']}/api/dashboards/uid/pairstream"
    assert b'"title":"Pairstream"' in until(lambda: urlopen(address, timeout=5).read(), "the dashboard", 120)


def test_under_curve_they_learn_as_before_and_who_has_no_key_is_not_let_in(stack: Stack):
    stack.compose("down", "--volumes")
    locked = Stack(stack.settings, ROOT / "tests/docker/small.yml", ROOT / "docker-compose.curve.yml")
    locked.compose("up", "--detach", "--wait", "worker", "trainer", "listen", seconds=300)
    until(partial(has_reached, locked, "one", 3), "three steps of an encrypted stream")
    assert stack.run(name_of(locked.containers("trainer")[0]), "ls", "/keys").split() == [
        "trainer.secret",
        "worker.public",
    ]
    keyless = [
        "PAIRSTREAM_CURVE_KEY=",
        "PAIRSTREAM_CURVE_SERVER=",
        "TRAINER_FIT__TIMEOUT=5",
        "TRAINER_FIT__RUN=/tmp/run",
    ]
    with pytest.raises(subprocess.SubprocessError, match=r'"exit_code": 4'):
        locked.compose("run", "--rm", "--no-deps", *(f"--env={said}" for said in keyless), "trainer")
    locked.compose("down", "--volumes")


def test_nothing_is_left_behind(stack: Stack):
    stack.compose("down", "--volumes")
    for kind in (["ps", "--all"], ["volume", "ls"], ["network", "ls"]):
        command = ["docker", *kind, "--quiet", "--filter", f"label=com.docker.compose.project={PROJECT}"]
        assert subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout == ""
