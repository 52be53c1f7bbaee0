"""Who may talk to whom: what is needed can, and nobody else. The rules are evaluated as Kubernetes does.

A pod that no policy of a direction selects is open in that direction; a pod that some do is open to the union of what
they allow. A connection needs the way out of the one and the way into the other.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from manifests import Manifest, everything, overlay, pods, selects

OURS = "pairstream"


@dataclass(frozen=True)
class Pod:
    """Someone in the cluster, by its namespace and labels."""

    labels: dict[str, str] = field(default_factory=dict)
    namespace: str = OURS


PROMETHEUS = Pod(namespace="monitoring")
DNS = Pod({"k8s-app": "kube-dns"}, "kube-system")
STRANGER = Pod({"app": "x"}, "default")
#: In another namespace, with the labels of a trainer of ours.
IMPOSTOR = Pod({"app.kubernetes.io/name": "pairstream", "app.kubernetes.io/component": "trainer"}, "default")
NEIGHBOUR = Pod({"app": "x"})
INTERNET = Pod(namespace="")


def peer_matches(peer: Manifest, pod: Pod) -> bool:
    assert set(peer) <= {"podSelector", "namespaceSelector"}
    namespace = {"kubernetes.io/metadata.name": pod.namespace}
    near = selects(peer["namespaceSelector"], namespace) if "namespaceSelector" in peer else pod.namespace == OURS
    return near and selects(peer.get("podSelector", {}), pod.labels)


def passes(manifests: tuple[Manifest, ...], direction: str, pod: Pod, other: Pod, *, port: int, protocol: str) -> bool:
    """Whether `pod` may be reached by (Ingress) or may reach (Egress) the other one."""
    policies = [
        item["spec"]
        for item in manifests
        if item["kind"] == "NetworkPolicy"
        and pod.namespace == item["metadata"]["namespace"]
        and direction in item["spec"]["policyTypes"]
        and selects(item["spec"]["podSelector"], pod.labels)
    ]
    side = {"Ingress": "from", "Egress": "to"}[direction]
    rules = [rule for policy in policies for rule in policy.get(direction.lower(), ())]
    return not policies or any(
        any(peer_matches(peer, other) for peer in rule[side])
        and ("ports" not in rule or (port, protocol) in [(p["port"], p.get("protocol", "TCP")) for p in rule["ports"]])
        for rule in rules
    )


def connects(manifests: tuple[Manifest, ...], source: Pod, target: Pod, port: int, protocol: str = "TCP") -> bool:
    way = {"port": port, "protocol": protocol}
    return passes(manifests, "Egress", source, target, **way) and passes(manifests, "Ingress", target, source, **way)


def pod(name: str) -> Pod:
    """One of ours."""
    (labels,) = [labels for found, labels, _ in pods(everything()) if found == name]
    return Pod(dict(labels))


@pytest.mark.parametrize("build", [lambda: overlay("cpu"), everything], ids=["cpu", "everything"])
@pytest.mark.parametrize(
    ("source", "target", "port"),
    [("trainer", "worker", 5555), ("trainer", "trainer", 29500), ("trainer", "trainer", 41234)],
)
def test_pairs_and_gradients_flow(build, source: str, target: str, port: int):
    assert connects(build(), pod(source), pod(target), port)


@pytest.mark.parametrize(("source", "target"), [("trainer", "relay"), ("relay", "worker")])
def test_pairs_flow_through_a_relay(source: str, target: str):
    assert connects(everything(), pod(source), pod(target), 5555)


@pytest.mark.parametrize(("name", "port"), [("worker", 5557), ("relay", 5557), ("trainer", 9100)])
def test_prometheus_scrapes_and_does_nothing_else(name: str, port: int):
    assert connects(everything(), PROMETHEUS, pod(name), port)
    assert not connects(everything(), PROMETHEUS, pod(name), 5555)


@pytest.mark.parametrize("protocol", ["UDP", "TCP"])
def test_who_looks_names_up_may_and_a_worker_needs_not(protocol: str):
    assert connects(everything(), pod("trainer"), DNS, 53, protocol)
    assert connects(everything(), pod("relay"), DNS, 53, protocol)
    assert not connects(everything(), pod("worker"), DNS, 53, protocol)


@pytest.mark.parametrize("stranger", [STRANGER, IMPOSTOR, NEIGHBOUR, INTERNET], ids=["far", "impostor", "near", "www"])
@pytest.mark.parametrize("name", ["worker", "trainer", "relay"])
def test_strangers_neither_come_in_nor_are_they_reached(name: str, stranger: Pod):
    for port in (5555, 5556, 5557, 9100, 29500):
        assert not connects(everything(), stranger, pod(name), port)
        assert not connects(everything(), pod(name), stranger, port)


def test_a_worker_calls_nobody_and_is_called_by_no_other_worker():
    for target in map(pod, ("worker", "trainer", "relay")):
        assert not connects(everything(), pod("worker"), target, 5555)
