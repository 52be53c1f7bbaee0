"""A worker of toy blocks in this process, on ports of its own."""

from __future__ import annotations

from toy_source import open_toy

from pairstream.source import OpenSource
from synth_server.config import ServeSettings
from synth_server.metrics import WorkerMetrics
from synth_server.server import Server

SETTINGS = ServeSettings(bind="tcp://127.0.0.1:0", grpc="127.0.0.1:0", http="127.0.0.1:0", drain_seconds=2, capacity=1)


def serve(open_source: OpenSource = open_toy, settings: ServeSettings = SETTINGS) -> Server:
    return Server(settings, open_source, WorkerMetrics())
