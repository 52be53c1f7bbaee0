"""The manifests are valid, fit together, and ask for no more rights than they need."""

from __future__ import annotations

import re
import shutil
import textwrap
from pathlib import Path

import jsonschema
import kubernetes_validate
import pytest
from custom_kinds import SCHEMAS
from manifests import CUSTOM, FOLDER, OVERLAYS, Manifest, built, built_with, everything, one, overlay, pods, selects

each = pytest.mark.parametrize("build", [lambda: overlay("cpu"), everything], ids=["cpu", "everything"])


@pytest.mark.parametrize("version", ["1.29", "1.37"])
@each
def test_kubernetes_accepts_every_field_of_its_own_kinds(build, version: str):
    mine = [item for item in build() if item["kind"] not in CUSTOM]
    assert {item["kind"] for item in mine} == {
        "Deployment", "Job", "Service", "PodDisruptionBudget", "NetworkPolicy", "PersistentVolumeClaim", "Namespace",
    }  # fmt: skip
    for item in mine:
        kubernetes_validate.validate(item, version, strict=True)


def test_a_field_that_kubernetes_does_not_know_would_be_found():
    worker = dict(one(overlay("cpu"), "Deployment", "worker"))
    with pytest.raises(kubernetes_validate.ValidationError, match="replica"):
        kubernetes_validate.validate(worker | {"spec": worker["spec"] | {"replica": 3}}, "1.37", strict=True)


def test_keda_and_the_prometheus_operator_accept_every_field_of_theirs():
    found = [item for item in everything() if item["kind"] in CUSTOM]
    assert {item["kind"] for item in found} == set(CUSTOM)
    for item in found:
        jsonschema.validate(item, SCHEMAS[item["kind"]])


def test_the_cpu_overlay_needs_no_operator_in_the_cluster():
    assert not {item["kind"] for item in overlay("cpu")} & set(CUSTOM)


@each
def test_all_is_in_one_namespace_that_enforces_the_restricted_standard(build):
    namespace = one(build(), "Namespace", "pairstream")
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert {item["metadata"]["namespace"] for item in build() if item is not namespace} == {"pairstream"}


@each
def test_every_pod_meets_the_restricted_pod_security_standard(build):
    """As https://kubernetes.io/docs/concepts/security/pod-security-standards/ lists it; and read-only roots beside."""
    for name, _, spec in pods(build()):
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(spec), name
        assert spec["automountServiceAccountToken"] is False
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["runAsUser"] > 0
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not {"sysctls", "seLinuxOptions", "windowsOptions", "appArmorProfile"} & set(spec["securityContext"])
        kinds = {kind for volume in spec["volumes"] for kind in volume if kind != "name"}
        assert kinds <= {"configMap", "secret", "emptyDir", "persistentVolumeClaim"}
        assert "initContainers" not in spec
        for container in spec["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert not any("hostPort" in port for port in container["ports"])


@each
def test_every_container_says_what_it_needs_and_what_it_may_take(build):
    for _, _, spec in pods(build()):
        for container in spec["containers"]:
            assert {"cpu", "memory"} <= set(container["resources"]["requests"])
            assert {"cpu", "memory"} <= set(container["resources"]["limits"])


@each
def test_what_is_mounted_is_there_and_all_that_is_there_is_mounted(build):
    claims = {item["metadata"]["name"] for item in build() if item["kind"] == "PersistentVolumeClaim"}
    for _, _, spec in pods(build()):
        mounted = {mount["name"] for container in spec["containers"] for mount in container["volumeMounts"]}
        assert mounted == {volume["name"] for volume in spec["volumes"]}
        asked = {volume["persistentVolumeClaim"]["claimName"] for volume in spec["volumes"] if len(volume) == 2
                 and "persistentVolumeClaim" in volume}  # fmt: skip
        assert asked <= claims


def selector_of(item: Manifest) -> Manifest | None:
    """Of a manifest that selects pods by labels."""
    if item["kind"] == "Service":
        return {"matchLabels": item["spec"]["selector"]}
    return item["spec"].get("selector") if item["kind"] in ("Deployment", "PodDisruptionBudget", "PodMonitor") else None


@each
def test_every_selector_selects_the_pods_that_it_is_named_after_and_no_others(build):
    selectors = [(item, selector) for item in build() if (selector := selector_of(item))]
    assert len(selectors) >= 4
    for item, selector in selectors:
        expected = {item["metadata"]["name"]}
        if item["kind"] == "PodMonitor" and "worker" in expected:
            expected |= {name for name, _, _ in pods(build()) if name == "relay"}  # a relay is a worker, too
        assert {name for name, labels, _ in pods(build()) if selects(selector, labels)} == expected, item
    for name, labels, spec in pods(build()):
        for rule in spec.get("topologySpreadConstraints", ()):
            assert selects(rule["labelSelector"], labels), name


@each
def test_every_port_that_is_named_is_one_of_the_container(build):
    ports = {
        name: {port["name"]: port["containerPort"] for port in container["ports"]}
        for name, _, spec in pods(build())
        for container in spec["containers"]
    }
    for item in build():
        if item["kind"] == "Service":
            assert item["spec"]["clusterIP"] == "None"
            for port in item["spec"]["ports"]:  # a headless service translates no ports
                assert ports[item["metadata"]["name"]][port["targetPort"]] == port["port"]
        if item["kind"] == "PodMonitor":
            for endpoint in item["spec"]["podMetricsEndpoints"]:
                assert endpoint["port"] in ports[item["metadata"]["name"]]
    for name, _, spec in pods(build()):
        probes = [spec["containers"][0].get(f"{kind}Probe") for kind in ("startup", "readiness", "liveness")]
        for probe in filter(None, probes):
            assert probe["httpGet"]["path"] == "/healthz"
            assert probe["httpGet"]["port"] in ports[name]


def test_a_worker_has_time_to_compile_and_to_drain():
    spec = one(overlay("cpu"), "Deployment", "worker")["spec"]["template"]["spec"]
    startup = spec["containers"][0]["startupProbe"]
    assert {"readinessProbe", "livenessProbe"} <= set(spec["containers"][0])
    assert startup["periodSeconds"] * startup["failureThreshold"] >= 120
    (drain,) = [word for word in spec["containers"][0]["args"] if word.startswith("--drain-seconds=")]
    assert float(drain.partition("=")[2]) + 5 <= spec["terminationGracePeriodSeconds"]


def test_images_are_for_the_overlay_to_say_and_never_the_latest():
    for manifests in (overlay("cpu"), overlay("gpu"), everything()):
        images = {container["image"] for _, _, spec in pods(manifests) for container in spec["containers"]}
        assert {image.partition(":")[0] for image in images} == {"pairstream-worker", "pairstream-trainer"}
        assert not {"", "latest"} & {image.partition(":")[2] for image in images}
    relay = one(built_with("cpu", "relay"), "Deployment", "relay")
    assert relay["spec"]["template"]["spec"]["containers"][0]["image"] == "pairstream-worker:mine"


def test_the_readme_s_own_folder_builds(tmp_path: Path):
    (block,) = re.findall(r"```yaml\n(.*?)```", (FOLDER / "README.md").read_text(), re.DOTALL)
    shutil.copytree(FOLDER, tmp_path / "pairstream/deploy/kubernetes")
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "kustomization.yaml").write_text(textwrap.dedent(block))
    images = {container["image"] for _, _, spec in pods(built(mine)) for container in spec["containers"]}
    assert images == {f"registry.example/pairstream-{name}:0.1.0" for name in ("worker", "trainer")}


def test_on_cards_every_pod_has_one_and_elsewhere_none():
    for name in OVERLAYS:
        for _, _, spec in pods(overlay(name)):
            cards = [container["resources"]["limits"].get("nvidia.com/gpu") for container in spec["containers"]]
            assert cards == ([1] if name == "gpu" else [None])
            assert bool(spec.get("tolerations")) == (name == "gpu")
