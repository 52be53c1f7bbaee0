"""A spec names a stream: every field counts, equal streams are equal, and nonsense is refused with a remedy."""

from __future__ import annotations

import pickle
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairstream.errors import SpecError
from pairstream.spec import GROUPS, StreamSpec

OTHER_VALUES: dict[str, Any] = {
    "synth": "parametric",
    "oscillators": {"sine": 4},
    "engine": "torchsynth",
    "sampling": "unit",
    "delta": 0.1,
    "sample_rate": 44_100,
    "seconds": 2.0,
    "layers": 2,
    "control_rate": 441,
    "block_pairs": 64,
    "seed": 1,
    "dtype": "float16",
}


def test_the_default_stream_keeps_its_name():
    """A changed digest would orphan every stream that anyone has ever recorded."""
    assert StreamSpec().digest == "4167deecabbdef5e1f2ac3d5304bdb2d967dba7765187d5857b68c4c40c91863"


def test_one_layer_is_the_stream_that_has_no_layers():
    spec = StreamSpec(layers=1)
    assert (spec.digest, spec.as_dict()["layers"]) == (StreamSpec().digest, 1)
    assert b"layers" not in spec.canonical
    assert b"layers" in StreamSpec(layers=2).canonical


def test_every_field_changes_the_digest_and_shows_in_the_diff():
    plain = StreamSpec()
    assert set(OTHER_VALUES) == set(plain.as_dict())
    digests = {plain.digest}
    for name, value in OTHER_VALUES.items():
        other = StreamSpec.from_dict(plain.as_dict() | {name: value})
        assert plain.diff(other) == f"{name}: {plain.as_dict()[name]!r} != {value!r}"
        digests.add(other.digest)
    assert len(digests) == len(OTHER_VALUES) + 1


@pytest.mark.parametrize(
    "spec",
    [
        StreamSpec(),
        StreamSpec(delta={"pitch": 0.1, "rest": 0.2}),
        StreamSpec(seed=2**64 - 1, seconds=0.5),
        StreamSpec(synth="parametric", oscillators={"sine": 0, "fm_sine": 3}),
    ],
)
def test_a_spec_survives_dict_and_pickle(spec: StreamSpec):
    for copy in (StreamSpec.from_dict(spec.as_dict()), pickle.loads(pickle.dumps(spec))):
        assert copy == spec
        assert copy.digest == spec.digest
        assert hash(copy) == hash(spec)
    assert eval(repr(spec)) == spec


def test_laws_that_are_the_same_have_one_name():
    same = [StreamSpec(delta=0.2), StreamSpec(delta={"rest": 0.2}), StreamSpec(delta=dict.fromkeys(GROUPS, 0.2))]
    assert len({spec.digest for spec in same}) == 1
    by_rest = StreamSpec(delta={"pitch": 0.1, "rest": 0.2})
    by_name = StreamSpec(delta=dict.fromkeys(reversed(GROUPS), 0.2) | {"pitch": 0.1})
    assert by_rest.digest == by_name.digest
    assert StreamSpec(seconds=1) == StreamSpec(seconds=1.0)  # type: ignore[arg-type]


PARAMETRIC = {"sine": 2, "square_saw": 2, "fm_sine": 1, "fm_square_saw": 1}
NUMBERS = st.dictionaries(st.sampled_from(list(PARAMETRIC)), st.integers(0, 64))


@given(NUMBERS, st.randoms(use_true_random=False))
def test_numbers_of_oscillators_that_come_to_the_same_are_one_stream(numbers: dict[str, int], random: Random):
    """The patch's own numbers may be said or left out, in any order."""
    full = list({**PARAMETRIC, **numbers}.items())
    random.shuffle(full)
    short, long = (StreamSpec(synth="parametric", oscillators=dict(said)) for said in (numbers, full))
    assert (short, short.canonical, short.diff(long)) == (long, long.canonical, "")
    assert StreamSpec.from_dict(short.as_dict()) == short


@given(NUMBERS, NUMBERS)
def test_other_numbers_of_oscillators_are_another_stream(one: dict[str, int], other: dict[str, int]):
    specs = [StreamSpec(synth="parametric", oscillators=numbers) for numbers in (one, other)]
    alike = {**PARAMETRIC, **one} == {**PARAMETRIC, **other}
    assert (specs[0].digest == specs[1].digest) == alike


def test_only_a_synthesizers_own_numbers_may_be_left_out():
    assert StreamSpec(synth="parametric", oscillators={"sine": 2}).oscillators == {}
    assert StreamSpec(synth="another", oscillators={"sine": 2}).oscillators == {"sine": 2}


def test_delta_is_found_by_group():
    spec = StreamSpec(delta={"pitch": 0.05, "rest": 0.25})
    assert [spec.delta_of(group) for group in ("pitch", "mix")] == [0.05, 0.25]
    assert StreamSpec(delta=0.5).delta_of("lfo") == 0.5


def test_sizes_follow_from_rate_and_length():
    spec = StreamSpec(sample_rate=44_100, seconds=0.5, block_pairs=8, dtype="float16")
    assert (spec.samples, spec.control_samples, spec.audio_bytes) == (22_050, 240, 8 * 2 * 22_050 * 2)


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("synth", "Voice!", "'Voice!'"),
        ("sampling", "gauss", "paper, unit"),
        ("dtype", "int16", "float32, float16"),
        ("delta", -0.1, "-0.1"),
        ("delta", float("nan"), "nan"),
        ("delta", 10**400, "is not a finite number"),
        ("delta", "0.1", "'0.1'"),
        ("delta", {"pitch": 0.1}, "add 'rest'"),
        ("delta", {"colour": 0.1, "rest": 0.1}, "'colour'"),
        ("delta", {"pitch": -1, "rest": 0.1}, "delta['pitch']"),
        ("oscillators", None, "None"),
        ("oscillators", [4], "{sine: 4}"),
        ("oscillators", {"sine": -1}, "oscillators['sine']=-1"),
        ("oscillators", {"sine": 65}, "use 0 to 64"),
        ("oscillators", {"sine": 2.0}, "2.0"),
        ("oscillators", {"sine": True}, "True"),
        ("oscillators", {"fm-sine": 1}, "'fm-sine'"),
        ("oscillators", {7: 1}, "kind 7"),
        ("sample_rate", 0, "sample_rate=0"),
        ("sample_rate", 16_000.0, "16000.0"),
        ("seconds", 0.0, "seconds=0.0"),
        ("seconds", float("inf"), "inf"),
        ("seconds", 1e-4, "at least 2"),
        ("control_rate", 20_000, "20000"),
        ("layers", 0, "layers=0"),
        ("layers", 65, "1 to 64"),
        ("layers", 2.0, "2.0"),
        ("block_pairs", 0, "block_pairs=0"),
        ("block_pairs", True, "True"),
        ("seed", -1, "seed=-1"),
        ("seed", 2**64, str(2**64)),
    ],
)
def test_nonsense_is_refused_and_quoted(field: str, value: object, says: str):
    with pytest.raises(SpecError) as caught:
        StreamSpec.from_dict(StreamSpec().as_dict() | {field: value})
    assert field in str(caught.value)
    assert says in str(caught.value)


@pytest.mark.parametrize("values", [None, 7, {"colour": 1}, {1: 2}])
def test_what_is_no_spec_at_all_is_refused(values: object):
    with pytest.raises(SpecError):
        StreamSpec.from_dict(values)


def test_zero_has_no_sign():
    assert StreamSpec(delta=-0.0).digest == StreamSpec(delta=0.0).digest
    assert StreamSpec(delta={"pitch": -0.0, "rest": 0.1}).digest == StreamSpec(delta={"pitch": 0, "rest": 0.1}).digest
