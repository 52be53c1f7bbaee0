"""Who makes and closes the engines that renderers play on: each its own, or one for all streams of a form.

Streams that differ in seed, delta, law, layers, block size or type of audio are played by the same engine: sweeps over
delta, and the page, have many of those.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any, Protocol

from synth_server.engines import Engine, load_engine


class Engines(Protocol):
    """Where a renderer has its engine from."""

    def take(self, name: str, **settings: Any) -> Engine:
        """An engine; see `load_engine`."""

    def give_back(self, engine: Engine) -> None:
        """It is not needed any more by whoever took it."""


class OwnEngines:
    """One for each that is taken."""

    def take(self, name: str, **settings: Any) -> Engine:
        """See `Engines`."""
        return load_engine(name, **settings)

    def give_back(self, engine: Engine) -> None:
        """See `Engines`."""
        engine.close()


class SharedEngines:
    """One for all that are taken with the same settings, closed when the last is given back. For one thread."""

    def __init__(self, load: Callable[..., Engine] = load_engine) -> None:
        self._load = load
        self._made: dict[Hashable, Engine] = {}
        self._taken: dict[int, int] = {}

    def take(self, name: str, **settings: Any) -> Engine:
        """See `Engines`."""
        key = (name, *((setting, _frozen(value)) for setting, value in sorted(settings.items())))
        engine = self._made.get(key)
        if engine is None:
            engine = self._made[key] = self._load(name, **settings)
        self._taken[id(engine)] = self._taken.get(id(engine), 0) + 1
        return engine

    def give_back(self, engine: Engine) -> None:
        """See `Engines`."""
        self._taken[id(engine)] -= 1
        if self._taken[id(engine)]:
            return
        del self._taken[id(engine)]
        self._made = {key: made for key, made in self._made.items() if made is not engine}
        engine.close()


def _frozen(value: object) -> Hashable:
    return frozenset(value.items()) if isinstance(value, Mapping) else value
