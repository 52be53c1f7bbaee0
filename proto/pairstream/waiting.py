"""What a wait is for, on whom and why, in words; and the errors that end one. It decides nothing."""

from __future__ import annotations

from collections.abc import Mapping

from pairstream.errors import PairstreamError, RenderError, StreamTimeoutError, WorkerUnavailableError
from pairstream.peers import Peers


def situation(peers: Peers, asked: Mapping[str, float], now: float) -> str:
    """On whom the consumer waits, in one sentence.

    Args:
        peers: the workers.
        asked: who was asked for the block, and when.
        now: the time on the same clock, in seconds.
    """
    if not asked:
        return str(peers)
    whom = " and of ".join(f"{worker} {now - at:.1f} s ago" for worker, at in asked.items())
    return f"asked of {whom}, which is connected but has not sent it"


def failed(block: str, peers: Peers, failures: Mapping[str, str]) -> RenderError | None:
    """The error that it is if every worker that serves has said why it cannot give a block."""
    if not failures or not set(peers.serving) <= set(failures):
        return None
    worker, reason = next(iter(failures.items()))
    return RenderError(f"{block}: {worker} says: {reason}")


def expired(what: str, seconds: float, peers: Peers, why: str) -> PairstreamError:
    """The error for a wait of `seconds` that led to nothing: for what, on whom, and why."""
    waited = f"waited {seconds:.1f} s for {what}: {why}"
    if not peers.serving:
        return WorkerUnavailableError(f"{waited}; start one with `synth-server serve`, or correct the URL")
    return StreamTimeoutError(
        f"{waited}; the worker is overloaded or stuck (see `synth-server status`), or raise the time-out"
    )
