"""Engines that streams share: made once for each form, closed with the last stream that plays on them."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from pairstream.spec import StreamSpec
from synth_server.engines.lending import SharedEngines
from synth_server.renderer import Renderer

SPEC = StreamSpec(block_pairs=1, seconds=0.1)


class Toy:
    """What is lent; it knows whether it was closed."""

    def __init__(self, name: str, **settings: Any) -> None:
        self.settings = {"name": name, **settings}
        self.closed = False

    def close(self) -> None:
        self.closed = True


def test_one_engine_for_each_form_as_long_as_anybody_plays_on_it() -> None:
    made: list[Toy] = []

    def load(name: str, **settings: Any) -> Any:
        made.append(Toy(name, **settings))
        return made[-1]

    engines = SharedEngines(load)
    form = {"synth": "voice", "oscillators": {"sine": 1, "noise": 2}, "seconds": 1.0}
    first, second = (
        engines.take("fused", **form),
        engines.take("fused", **form | {"oscillators": {"noise": 2, "sine": 1}}),
    )
    other = engines.take("fused", **form | {"seconds": 2.0})
    assert first is second is not other
    engines.give_back(first)
    assert not made[0].closed
    engines.give_back(second)
    assert [toy.closed for toy in made] == [True, False]
    assert engines.take("fused", **form) is made[2]


def test_streams_of_other_seeds_laws_and_sizes_share_an_engine_and_have_the_bytes_of_their_own() -> None:
    render = partial(Renderer, threads=1, engines=SharedEngines())
    more = [replace(SPEC, seed=1), replace(SPEC, delta=0.1), replace(SPEC, layers=2), replace(SPEC, dtype="float16")]
    shared = [render(spec) for spec in (SPEC, *more)]
    assert len({id(one._engine) for one in shared}) == 1
    assert render(replace(SPEC, seconds=0.2))._engine is not shared[0]._engine
    for one in shared[1:]:
        one.close()
        one.close()
    again = [render(spec) for spec in more]
    for one in (shared[0], *again):
        with Renderer(one.spec, threads=1) as own:
            assert one.render(3).sha256() == own.render(3).sha256()
