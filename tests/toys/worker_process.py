"""A real worker process on ports of its choice, for tests that kill it."""

from __future__ import annotations

from tests.toys.server_process import ServerProcess


class WorkerProcess(ServerProcess):
    """`synth-server serve`, ready."""

    def __init__(self, port: int = 0, *flags: str) -> None:
        doors = ["--bind", f"tcp://127.0.0.1:{port}", "--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0"]
        super().__init__("serve", *doors, *flags)
        self.addresses: dict[str, str] = {}
        assert self.process.stdout is not None
        for line in self.process.stdout:
            name, _, rest = line.strip().partition(" ")
            self.addresses[name] = rest.strip()
            if name == "ready":
                return
        raise AssertionError(f"the worker ended: {self.process.communicate()[1]}")

    @property
    def url(self) -> str:
        return self.addresses["pairs"]

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])
