"""Contest: engines side by side, each in a process of its own with its own share of the cores, taking turns.

Turn by turn, because a machine's speed drifts: every entrant meets every mood of the machine, and the ratios of
their medians stay true. In each turn an entrant plays twice, and the second call counts. Entrants are the engines,
SynthAX where it is installed, and the floor: writing the output once, which no engine can beat.
"""

from __future__ import annotations

import multiprocessing
import os
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairstream.errors import ConfigError, PairstreamError, RenderError
from pairstream.spec import StreamSpec
from synth_server.engines import ENGINES
from synth_server.patches import load_patch

FLOOR, SYNTHAX = "floor", "synthax"
ENTRANTS = (*ENGINES, SYNTHAX, FLOOR)

#: The longest that an entrant may take to load or to play, in seconds.
PATIENCE = 300.0

Play = Callable[[NDArray[np.float32], NDArray[np.uint64]], object]


@dataclass(frozen=True, kw_only=True)
class Result:
    """What an entrant needs for a call of `sounds` sounds with `threads` threads; or why it did not take part."""

    entrant: str
    threads: int
    sounds: int
    seconds: tuple[float, ...] = ()
    reason: str = ""

    @property
    def median(self) -> float:
        """Seconds per call."""
        return statistics.median(self.seconds)


def contest(
    entrants: Sequence[str], spec: StreamSpec, *, sounds: Sequence[int], threads: Sequence[int], rounds: int
) -> Iterator[Result]:
    """The results, in the order of `threads`, `sounds` and `entrants`.

    Raises:
        ConfigError: an entrant that is none.
        RefusedError: there is no such synth, or not with such oscillators.
        RenderError: an entrant died or was never done.
    """
    for name in entrants:
        if name not in ENTRANTS:
            raise ConfigError(f"engines={name!r} is none; choose among {', '.join(ENTRANTS)}")
    load_patch(spec.synth, spec.oscillators)
    for number in threads:
        for batch in sounds:
            yield from _match(entrants, spec, batch, number, rounds)


def _match(entrants: Sequence[str], spec: StreamSpec, sounds: int, threads: int, rounds: int) -> Iterator[Result]:
    times: dict[str, list[float]] = {name: [] for name in entrants}
    with _processes(entrants, spec, sounds, threads) as pipes:
        reasons = {name: _heard(name, pipe) for name, pipe in pipes.items()}
        for _ in range(rounds):
            for name, pipe in pipes.items():
                if not reasons[name]:
                    pipe.send("play")
                    times[name].append(_heard(name, pipe))
    for name in entrants:
        yield Result(
            entrant=name, threads=threads, sounds=sounds, seconds=tuple(times[name]), reason=str(reasons[name])
        )


@contextmanager
def _processes(entrants: Sequence[str], spec: StreamSpec, sounds: int, threads: int) -> Iterator[dict[str, Connection]]:
    """One process per entrant, none of them left behind."""
    context = multiprocessing.get_context("spawn")
    pipes: dict[str, Connection] = {}
    running: list[BaseProcess] = []
    try:
        for name in entrants:
            pipes[name], theirs = context.Pipe()
            running.append(context.Process(target=enter, args=(theirs, name, spec, sounds, threads), daemon=True))
            running[-1].start()
            theirs.close()
        yield pipes
    finally:
        for pipe in pipes.values():
            pipe.close()
        for process in running:
            process.join(5.0)
            process.kill()


def _heard(name: str, pipe: Connection) -> Any:
    try:
        if pipe.poll(PATIENCE):
            return pipe.recv()
    except EOFError as error:
        raise RenderError(f"{name} ended without an answer; try it alone: `synth-server bench`") from error
    raise RenderError(f"{name} did not answer within {PATIENCE:.0f} s; try fewer or shorter sounds")


def enter(pipe: Connection, name: str, spec: StreamSpec, sounds: int, threads: int) -> None:
    """An entrant's process: load, warm up, then play whenever told to and say how long it took."""
    _confine(threads)
    rng = np.random.Generator(np.random.Philox(key=spec.seed))
    parameters = load_patch(spec.synth, spec.oscillators).parameters
    theta = rng.random((sounds, len(parameters)), np.float32).clip(np.float32(1e-6), 1)
    keys = np.arange(sounds, dtype=np.uint64)
    try:
        play = _load(name, spec, sounds, threads)
        for _ in range(2):
            play(theta, keys)
    except PairstreamError as error:
        pipe.send(str(error))
        return
    pipe.send("")
    while True:
        try:
            pipe.recv()
        except EOFError:
            return
        play(theta, keys)  # not counted: the caches hold what the others left, and a second core has gone to sleep
        began = time.perf_counter()
        play(theta, keys)
        pipe.send(time.perf_counter() - began)


def _confine(threads: int) -> None:
    """No more cores than threads, whatever a library would take."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


def _load(name: str, spec: StreamSpec, sounds: int, threads: int) -> Play:
    if name == FLOOR:
        output = np.empty((sounds, spec.samples), np.float32)
        return lambda *_: output.fill(0.5)
    if name == SYNTHAX:
        from synth_server.synthax import player  # noqa: PLC0415 – loads JAX

        jitted = player(spec, sounds)
        return lambda theta, _: jitted(theta)
    from pairstream import allocator  # noqa: PLC0415 – before torch allocates anything
    from synth_server.engines import load_engine  # noqa: PLC0415

    allocator.tune()
    engine = load_engine(
        name,
        synth=spec.synth,
        oscillators=spec.oscillators,
        sample_rate=spec.sample_rate,
        seconds=spec.seconds,
        control_rate=spec.control_rate,
        threads=threads,
    )
    return engine.render
