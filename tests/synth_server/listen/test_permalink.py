"""Links name streams, both ways."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairstream import StreamSpec
from pairstream.errors import SpecError
from pairstream.spec import GROUPS
from synth_server.listen import permalink

deltas = st.floats(0, 10) | st.fixed_dictionaries({group: st.sampled_from([0.0, 0.05, 0.25]) for group in GROUPS})
specs = st.builds(
    StreamSpec,
    synth=st.sampled_from(["voice", "voice-fm", "parametric", "my-own-2"]),
    delta=deltas,
    seconds=st.floats(0.1, 60),
    sample_rate=st.integers(8_000, 48_000),
    seed=st.integers(0, 2**64 - 1),
    layers=st.integers(1, 16),
    sampling=st.sampled_from(["paper", "unit"]),
    oscillators=st.dictionaries(st.sampled_from(["sine", "fm_sine", "saw"]), st.integers(0, 64)),
    dtype=st.sampled_from(["float32", "float16"]),
)


@given(specs)
def test_a_link_names_the_stream_it_was_written_for(spec: StreamSpec):
    assert permalink.read(parse_qsl(permalink.write(spec), strict_parsing=False)) == spec


def test_the_default_needs_no_words():
    assert permalink.write(StreamSpec()) == ""
    assert permalink.read([]) == StreamSpec()


def test_a_delta_of_groups_is_said_in_short():
    spec = StreamSpec(delta={"pitch": 0.05, "rest": 0.25})
    assert permalink.write(spec) == "delta.pitch=0.05&delta.rest=0.25"
    assert permalink.command(spec, 3, 0) == (
        "synth-server render --index=3 --pairs=1 '--spec.delta={pitch: 0.05, rest: 0.25}'"
    )


@pytest.mark.parametrize(
    "query",
    [
        [("nonsense", "1")],
        [("delta", "x")],
        [("delta", "0.1"), ("delta.pitch", "0.1")],
        [("delta.pitch", "0.1"), ("delta", "0.1")],
        [("seed", "1"), ("seed", "1")],
        [("seed", "-1")],
        [("seconds", "nan")],
        [("seconds", "1e999")],
        [("synth", "v" * 65)],
        [("s" * 65, "1")],
        [("seed", "1")] * 60,
        [("oscillators.__class__", "1")],
        [("synth.x", "1")],
    ],
)
def test_what_names_no_stream_is_refused(query: list[tuple[str, str]]):
    with pytest.raises(SpecError):
        permalink.read(query)


@given(
    st.lists(st.tuples(st.sampled_from(["delta", "delta.pitch", "seed", "synth"]) | st.text(), st.text()), max_size=3)
)
def test_no_text_does_more_than_be_refused(query: list[tuple[str, str]]):
    try:
        permalink.read(query)
    except SpecError:
        return
