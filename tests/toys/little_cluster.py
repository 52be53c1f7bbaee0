"""As much of a cluster as the manifests need, on this machine: names as CoreDNS answers them, and processes as pods.

It lives in namespaces of its own (`unshare`), so that the system's resolver asks its server, and nothing of it is
seen from outside or stays. A pod is a process with the command line of its manifest. All share one loopback interface,
so a pod's "any address" and its own loopback are an address of it in 127.0.0.0/8.
"""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import struct
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from dnslib import QTYPE, RCODE, RR, SOA, A, DNSRecord
from dnslib.server import BaseResolver, DNSHandler, DNSServer
from keyring import Keyring
from manifests import Manifest, command_line, surroundings

ZONE = "cluster.local."
NAMESPACE = f"pairstream.svc.{ZONE}"
DNS_ADDRESS = "127.0.0.10"
#: As the kubelet writes it into a pod of that namespace.
RESOLV_CONF = f"nameserver {DNS_ADDRESS}\nsearch {NAMESPACE} svc.{ZONE} {ZONE}\noptions ndots:5\n".replace(
    "local.", "local"
)
PATIENCE = 180.0


def command(*words: str) -> list[str]:
    """`words` in namespaces of their own, in which they may do as root does."""
    as_root = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    spaces = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    return ["unshare", *as_root, *spaces, *words]


@contextmanager
def network(folder: Path) -> Iterator[Dns]:
    """Loopback is up, and names are looked up at the server that is yielded. Only inside of `command`."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, 0x8914, struct.pack("16sH22x", b"lo", 0x1 | 0x40))  # SIOCSIFFLAGS: up, running
    files = {
        "resolv.conf": RESOLV_CONF,
        "nsswitch.conf": "hosts: files dns\n",
        "hosts": f"127.0.0.1 localhost {socket.gethostname()}\n",
    }
    for name, text in files.items():
        (folder / name).write_text(text)
        subprocess.run(["mount", "--bind", str(folder / name), f"/etc/{name}"], check=True)
    server = Dns()
    yield server
    server.stop()


class Dns(BaseResolver):  # type: ignore[misc]
    """CoreDNS' answers: the addresses of the pods behind a name, no IPv6, and NXDOMAIN for what there is not."""

    def __init__(self) -> None:
        self.records: dict[str, list[str]] = {}
        self.asked: list[str] = []
        self._servers = [
            DNSServer(self, address=DNS_ADDRESS, port=53, tcp=tcp, logger=_Mute()) for tcp in (False, True)
        ]
        for server in self._servers:
            server.start_thread()

    def serve(self, name: str, *pods: Pod) -> None:
        """From now on these are behind the name, in our namespace."""
        self.records[f"{name}.{NAMESPACE}"] = [pod.address for pod in pods]

    def resolve(self, request: DNSRecord, handler: DNSHandler) -> DNSRecord:
        """What dnslib's server asks for."""
        name, kind = str(request.q.qname), QTYPE[request.q.qtype]
        self.asked.append(f"{name} {kind}")
        reply = request.reply()
        addresses = self.records.get(name)
        if not addresses:
            reply.header.rcode = RCODE.NXDOMAIN
            reply.add_auth(RR(ZONE, QTYPE.SOA, rdata=SOA(f"ns.dns.{ZONE}", f"hostmaster.{ZONE}"), ttl=5))
        for address in addresses or () if kind == "A" else ():
            reply.add_answer(RR(name, QTYPE.A, rdata=A(address), ttl=5))
        return reply

    def stop(self) -> None:
        """Answer no more."""
        for server in self._servers:
            server.stop()
            server.server.server_close()


class _Mute:
    """dnslib tells of every question otherwise."""

    def __getattr__(self, name: str) -> object:
        return lambda *_: None


class Secrets:
    """The keys that every pod mounts, for `adapted` to find."""

    def __init__(self, folder: Path) -> None:
        Keyring(folder).make_curve("trainer", "relay")
        self.folder = folder / "curve"


class Pod:
    """A process as the manifest of a container says, at an address of its own.

    Args:
        container: the manifest.
        address: the pod's.
        secrets: what it mounts.
        runs: what is mounted at /runs.
        more: further arguments.
        index: of a Job's pod.
    """

    def __init__(
        self, container: Manifest, address: str, secrets: Secrets, runs: Path, *more: str, index: int = 0
    ) -> None:
        self.address = address
        paths = {
            "/etc/pairstream/key": str(secrets.folder),
            "/etc/pairstream/client": str(secrets.folder),
            "/etc/pairstream/allowed": str(secrets.folder / "allowed"),
            "/runs": str(runs),
        }
        own = {"0.0.0.0": address, "127.0.0.1": address}
        words = [adapted(word, paths | own) for word in command_line(container, index)]
        given = {name: adapted(value, paths) for name, value in surroundings(container, index).items()}
        given.pop("NUMBA_CACHE_DIR", None)  # what was compiled for other tests does here, too
        given["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        self.log = runs / f"{container['name']}-{address}-{time.monotonic_ns()}.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*words, *more], env=os.environ | given, stdout=log, stderr=subprocess.STDOUT
            )

    def wait_until_ready(self) -> Pod:
        """As the kubelet finds out."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                with urllib.request.urlopen(f"http://{self.address}:5557/healthz", timeout=5):
                    return self
            except urllib.error.URLError:
                time.sleep(0.1)
        raise AssertionError(self.log.read_text())

    def stop(self) -> None:
        """As a pod is ended."""
        self.process.terminate()

    def kill(self) -> None:
        """As a node is lost, with all processes on it."""
        for process in [self.process.pid, *_descendants(self.process.pid)]:
            os.kill(process, signal.SIGKILL)

    def code(self) -> int:
        """With what it ends."""
        return self.process.wait(PATIENCE)


def client_environment(container: Manifest, secrets: Secrets) -> Mapping[str, str]:
    """The keys that a container's environment names, so that a test may be a client in its stead."""
    paths = {"/etc/pairstream/key": str(secrets.folder)}
    given = surroundings(container)
    return {name: adapted(value, paths) for name, value in given.items() if name.startswith("PAIRSTREAM_")}


def adapted(word: str, places: Mapping[str, str]) -> str:
    """With other paths and addresses."""
    for there, here in places.items():
        word = word.replace(there, here)
    return word


def _descendants(process: int) -> list[int]:
    stats = {path.parent.name: path.read_text() for path in Path("/proc").glob("[0-9]*/stat")}
    children = [int(name) for name, stat in stats.items() if int(stat.rpartition(")")[2].split()[1]) == process]
    return children + [below for child in children for below in _descendants(child)]
