"""Engines side by side: everybody plays, nobody is left behind, and who cannot play says why."""

from __future__ import annotations

import importlib.util
import json
import multiprocessing

import pytest

from pairstream.errors import ConfigError
from pairstream.spec import StreamSpec
from synth_server import contest
from synth_server.cli import main

SPEC = StreamSpec(seconds=0.1)


@pytest.mark.slow
def test_engines_take_turns_and_none_beats_the_floor():
    results = list(contest.contest(["torchsynth", "floor"], SPEC, sounds=[8, 32], threads=[1], rounds=3))
    assert [(result.entrant, result.sounds) for result in results] == [
        ("torchsynth", 8),
        ("floor", 8),
        ("torchsynth", 32),
        ("floor", 32),
    ]
    assert all(len(result.seconds) == 3 and result.reason == "" for result in results)
    assert results[1].median < results[0].median
    assert multiprocessing.active_children() == []


@pytest.mark.slow
def test_the_table_and_the_json_say_the_same(capsys: pytest.CaptureFixture[str]):
    flags = ["bench", "--engines", "floor", "synthax", "--sounds", "4", "--threads", "1", "--blocks", "2"]
    assert main([*flags, "--spec.seconds", "0.1", "--json"]) == 0
    floor, synthax = json.loads(capsys.readouterr().out)["results"]
    assert floor["speed_of_first"] == 1.0
    assert floor["realtime"] == pytest.approx(0.4 / floor["median_seconds"])
    assert ("skipped" in synthax) == (importlib.util.find_spec("synthax") is None)
    assert main([*flags, "--spec.seconds", "0.1"]) == 0
    text = capsys.readouterr().out
    assert "floor" in text
    if "skipped" in synthax:
        assert "pip install 'pairstream[oracle]'" in " ".join(text.split())


def test_an_engine_that_does_not_exist_is_named_with_those_that_do():
    with pytest.raises(ConfigError, match=r"engines='theremin' is none; choose among .*synthax, floor"):
        list(contest.contest(["theremin"], SPEC, sounds=[1], threads=[1], rounds=1))


def test_a_synth_that_does_not_exist_ends_the_contest(capsys: pytest.CaptureFixture[str]):
    assert main(["bench", "--engines", "floor", "--spec.synth", "theremin", "--sounds", "1", "--threads", "1"]) == 3
    err = capsys.readouterr().err
    assert len(err.splitlines()) == 1
    assert "theremin" in err
