"""A worker keeps a few sources open, reopens what it closed, and refuses what is too large before it allocates."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import pytest
from toy_source import TOY, ToySource

from pairstream.errors import RefusedError
from pairstream.spec import StreamSpec
from synth_server.limits import Limits
from synth_server.sources import Sources


def test_a_stream_is_opened_once_and_closed_when_others_push_it_out():
    opened: list[ToySource] = []

    def open_source(spec: StreamSpec) -> ToySource:
        opened.append(ToySource(spec))
        return opened[-1]

    sources = Sources(open_source, Limits(), keep=2)
    specs = [replace(TOY, seed=seed) for seed in range(3)]
    assert sources.open(specs[0]) is sources.open(specs[0])
    sources.open(specs[1])
    sources.open(specs[2])
    assert [source.closed for source in opened] == [True, False, False]
    block = sources.render(specs[0].digest, 5)
    assert block.sha256() == ToySource(specs[0]).render(5).sha256()
    sources.close()
    assert all(source.closed for source in opened)


def test_a_stream_that_nobody_opened_is_not_rendered():
    with pytest.raises(RefusedError, match="not open here"):
        Sources(ToySource, Limits()).render("ab" * 32, 0)


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        (StreamSpec(block_pairs=4_096), "lower block_pairs"),
        (StreamSpec(seconds=120.0, block_pairs=1), "seconds=120.0"),
        (StreamSpec(synth="parametric", oscillators={"sine": 30}), "are 34 of all kinds, at most 24"),
        (StreamSpec(synth="parametric", seconds=0.01, block_pairs=100_000), "381 MiB of audio and theta"),
        (StreamSpec(sample_rate=384_000, seconds=10.0, block_pairs=1), "3,840,000 samples"),
    ],
)
def test_too_much_is_refused_with_the_limit(spec: StreamSpec, says: str):
    def open_source(spec: StreamSpec) -> ToySource:
        raise AssertionError("nothing may be opened")

    with pytest.raises(RefusedError, match=says):
        Sources(open_source, Limits()).open(spec)


def test_a_closed_source_is_opened_again_without_a_word_and_the_order_is_told_to_one_that_fetches():
    class Fetching(ToySource):
        expected: ClassVar[list[list[int]]] = []

        def expect(self, indices: list[int]) -> None:
            self.expected.append(list(indices))

    opened: list[ToySource] = []

    def open_source(spec: StreamSpec) -> ToySource:
        opened.append(Fetching(spec))
        return opened[-1]

    sources = Sources(open_source, Limits(), keep=1, upcoming=lambda digest, count: [4, 5, 6, 7])
    others = [replace(TOY, seed=seed) for seed in range(1, 5)]
    for spec in (TOY, *others):
        sources.open(spec)
    for spec in (TOY, *others, TOY):
        assert sources.render(spec.digest, 5).sha256() == ToySource(spec).render(5).sha256()
        assert sum(not source.closed for source in opened) == 1
    assert Fetching.expected == [[6, 7]] * 6  # 4 was begun before 5, so it is here already


def test_a_source_that_cannot_be_opened_now_leaves_the_others_as_they_are():
    def open_source(spec: StreamSpec) -> ToySource:
        if spec.seed:
            raise RefusedError("not this one")
        return ToySource(spec)

    sources = Sources(open_source, Limits(), keep=1)
    kept = sources.open(TOY)
    with pytest.raises(RefusedError, match="not this one"):
        sources.open(replace(TOY, seed=1))
    assert sources.open(TOY) is kept
