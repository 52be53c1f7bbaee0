"""What the containers are told is what the programs understand, and the numbers that must agree do."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import pytest
from manifests import OVERLAYS, Manifest, command_line, everything, one, overlay, surroundings
from parsed import fit_settings, said_to, serve_settings, torchrun_settings

from pairstream.credentials import Credentials
from pairstream.errors import ConfigError
from trainer.plan import new_plan


def container(manifests: tuple[Manifest, ...], kind: str, name: str) -> Manifest:
    (only,) = one(manifests, kind, name)["spec"]["template"]["spec"]["containers"]
    return only


def trainer_says(manifests: tuple[Manifest, ...], runs: Path, index: int = 0) -> list[str]:
    """What the trainer's pod of that index says to torchrun, with the volume of runs in a folder of the test."""
    trainer = container(manifests, "Job", "trainer")
    words = [word.replace("/runs", str(runs)) for word in command_line(trainer)]
    given = {name: value.replace("/runs", str(runs)) for name, value in surroundings(trainer).items()}
    return said_to("torchrun", words, given | {"JOB_COMPLETION_INDEX": str(index)}, runs / "bin")


@pytest.mark.parametrize("name", OVERLAYS)
def test_a_worker_listens_where_the_service_says_with_its_keys_and_threads(name: str):
    worker = container(overlay(name), "Deployment", "worker")
    settings = serve_settings(command_line(worker))
    ports = {port["name"]: port["containerPort"] for port in worker["ports"]}
    assert [str(url) for url in settings.data_urls] == [f"tcp://0.0.0.0:{ports['pairs']}"]
    assert settings.http_address.port == ports["http"]
    assert settings.threads == int(worker["resources"]["limits"]["cpu"])
    assert settings.device == ("cuda" if name == "gpu" else "cpu")


@pytest.mark.parametrize("name", ["worker", "relay"])
def test_the_door_of_the_pairs_is_locked_and_grpc_stays_in_the_pod(name: str):
    settings = serve_settings(command_line(container(everything(), "Deployment", name)))
    assert settings.locks.curve
    assert settings.grpc_address.loopback
    with pytest.raises(ConfigError, match="http="):
        replace(settings, insecure=False)  # which it says for that door alone
    replace(settings, insecure=False, http="127.0.0.1:5557")


@pytest.mark.parametrize("name", ["worker", "relay"])
def test_keys_are_read_where_they_are_mounted(name: str):
    program = container(everything(), "Deployment", name)
    mounts = {mount["mountPath"]: mount["name"] for mount in program["volumeMounts"]}
    settings = serve_settings(command_line(program))
    assert mounts[str(Path(settings.curve_key).parent)] == "key"
    assert mounts[settings.curve_allowed] == "allowed"


@pytest.mark.parametrize(("kind", "name"), [("Job", "trainer"), ("Deployment", "relay")])
def test_a_client_finds_its_keys_by_the_names_that_it_looks_for(kind: str, name: str):
    program = container(everything(), kind, name)
    credentials = Credentials.from_environment(surroundings(program))
    known = {f"PAIRSTREAM_{field.name.upper()}" for field in fields(Credentials)}
    assert {variable for variable in surroundings(program) if variable.startswith("PAIRSTREAM_")} <= known
    mounts = {mount["mountPath"] for mount in program["volumeMounts"]}
    for path in (credentials.curve_key, credentials.curve_server):
        assert str(Path(path).parent) in mounts


@pytest.mark.parametrize("name", OVERLAYS)
def test_every_pod_of_an_experiment_starts_its_part_of_it(name: str, tmp_path: Path):
    job = one(overlay(name), "Job", "trainer")
    nodes = job["spec"]["completions"]
    assert job["spec"]["parallelism"] == nodes
    cards = container(overlay(name), "Job", "trainer")["resources"]["limits"].get("nvidia.com/gpu")
    for index in range(nodes):
        run, settings = torchrun_settings(trainer_says(overlay(name), tmp_path, index))
        assert (run.nnodes, run.node_rank) == (str(nodes), index)
        assert (settings.nodes, settings.devices) == (nodes, int(run.nproc_per_node))
        assert settings.devices == (cards or 1)
        assert run.master_addr == f"{job['metadata']['name']}-0.{job['spec']['template']['spec']['subdomain']}"
        assert settings.run == tmp_path / "first"
        assert not settings.resume
        new_plan(settings)  # a plan that can be meant


@pytest.mark.parametrize("name", OVERLAYS)
def test_pods_find_each_other_by_services_and_ports_that_there_are(name: str, tmp_path: Path):
    run, settings = torchrun_settings(trainer_says(overlay(name), tmp_path))
    ports = {port["name"]: port["containerPort"] for port in container(overlay(name), "Job", "trainer")["ports"]}
    assert (run.master_port, settings.metrics_port) == (ports["rendezvous"], ports["metrics"])
    assert settings.metrics_host == "0.0.0.0"
    service = one(overlay(name), "Service", "worker")
    (pairs,) = [port["port"] for port in service["spec"]["ports"] if port["name"] == "pairs"]
    assert settings.stream == f"dns+zmq://worker:{pairs}"
    relay = serve_settings(command_line(container(everything(), "Deployment", "relay")))
    assert relay.upstream == settings.stream


def test_a_run_that_was_begun_is_resumed(tmp_path: Path):
    (tmp_path / "first").mkdir()
    (tmp_path / "first/config.json").touch()
    _, settings = torchrun_settings(trainer_says(overlay("cpu"), tmp_path))
    assert settings.resume


def test_the_paper_s_batch_is_the_paper_s_on_any_number_of_cards(tmp_path: Path):
    _, settings = torchrun_settings(trainer_says(overlay("gpu"), tmp_path))
    plan, paper = new_plan(settings), new_plan(fit_settings(["fit", "--run", "x", "--preset", "paper"]))
    assert plan.recipe.batch_pairs == paper.spec.block_pairs
    assert replace(plan.recipe, batch_pairs=None) == paper.recipe
    assert plan.recipe.batch_pairs % plan.spec.block_pairs == 0
