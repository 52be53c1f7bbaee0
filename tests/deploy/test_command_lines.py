"""What the containers are told is what the programs understand, and the numbers that must agree do."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import pytest
from manifests import OVERLAYS, command_line, container, everything, one, overlay, surroundings
from parsed import fit_settings, serve_settings, torchrun_settings

from pairstream.credentials import Credentials
from pairstream.errors import ConfigError
from trainer.plan import new_plan


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
def test_every_pod_of_an_experiment_starts_its_part_of_it_or_goes_on_with_it(name: str):
    job, trainer = one(overlay(name), "Job", "trainer"), container(overlay(name), "Job", "trainer")
    nodes = job["spec"]["completions"]
    assert job["spec"]["parallelism"] == nodes
    for index in range(nodes):
        run, settings = torchrun_settings(command_line(trainer, index))
        assert (run.nnodes, run.node_rank) == (str(nodes), index)
        assert (settings.nodes, settings.devices) == (nodes, int(run.nproc_per_node))
        assert settings.devices == trainer["resources"]["limits"].get("nvidia.com/gpu", 1)
        assert run.master_addr == f"{job['metadata']['name']}-0.{job['spec']['template']['spec']['subdomain']}"
        assert settings.resume_or_start
        assert str(settings.run.parent) in {mount["mountPath"] for mount in trainer["volumeMounts"]}
        new_plan(settings)  # a plan that can be meant


@pytest.mark.parametrize("name", OVERLAYS)
def test_pods_find_each_other_by_services_and_ports_that_there_are(name: str):
    trainer = container(overlay(name), "Job", "trainer")
    run, settings = torchrun_settings(command_line(trainer))
    ports = {port["name"]: port["containerPort"] for port in trainer["ports"]}
    assert (run.master_port, settings.metrics_port) == (ports["rendezvous"], ports["metrics"])
    assert settings.metrics_host == "0.0.0.0"
    (pairs,) = [port for port in one(overlay(name), "Service", "worker")["spec"]["ports"] if port["name"] == "pairs"]
    assert settings.stream == f"dns+zmq://worker:{pairs['port']}"
    relay = serve_settings(command_line(container(everything(), "Deployment", "relay")))
    assert relay.upstream == settings.stream


def test_the_paper_s_batch_is_the_paper_s_on_any_number_of_cards():
    _, settings = torchrun_settings(command_line(container(overlay("gpu"), "Job", "trainer")))
    plan, paper = new_plan(settings), new_plan(fit_settings(["fit", "--run", "x", "--preset", "paper"]))
    assert plan.recipe.batch_pairs == paper.spec.block_pairs
    assert replace(plan.recipe, batch_pairs=None) == paper.recipe
    assert plan.recipe.batch_pairs % plan.spec.block_pairs == 0
