"""A stream in a link: the fields of a spec that are not the default, and nothing else.

    /pair/4711/12?synth=parametric&oscillators.sine=4&delta.pitch=0.05&delta.rest=0.25

names pair 12 of block 4711 for good. The words are those of the command line (`--spec.oscillators.sine`), so that a
person can read and change them. What comes from a link is text that anybody may have written: it is bounded first.
"""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from typing import Any
from urllib.parse import quote

from pairstream.errors import SpecError
from pairstream.spec import REST, StreamSpec

#: A spec has fewer fields than this, and none of them is as long.
MAX_FIELDS, MAX_TEXT = 48, 64

_WHOLE = re.compile(r"-?\d{1,20}")
_REAL = re.compile(r"-?\d{1,20}(\.\d{0,20})?([eE][-+]?\d{1,3})?")
_NAMES = {field.name for field in fields(StreamSpec)}


def read(query: Iterable[tuple[str, str]]) -> StreamSpec:
    """The spec that a link's query names; `write` is the inverse.

    Raises:
        SpecError: it names no valid stream; the message says which part of it.
    """
    said: dict[str, Any] = {}
    for number, (name, text) in enumerate(query):
        if number >= MAX_FIELDS or len(name) > MAX_TEXT or len(text) > MAX_TEXT:
            raise SpecError(f"a link with more than {MAX_FIELDS} fields, or one of more than {MAX_TEXT} characters")
        field, dot, key = name.partition(".")
        if field not in _NAMES:
            raise SpecError(f"unknown field {field!r} in the link; known are {', '.join(sorted(_NAMES))}")
        place = said.setdefault(field, {}) if dot else said
        if not isinstance(place, dict) or (key or field) in place:
            raise SpecError(f"the link says {field} twice")
        place[key or field] = _value(text)
    return StreamSpec(**said)


def write(spec: StreamSpec) -> str:
    """The query of a link to `spec`'s stream; empty for the default stream."""
    return "&".join(f"{name}={quote(str(value), safe='')}" for name, value in _said(spec))


def command(spec: StreamSpec, index: int, first: int, pairs: int = 1) -> str:
    """What to type to have the same pairs as files."""
    flags = [f"--spec.{name}={_flag(name, value)}" for name, value in _departures(spec)]
    where = [f"--index={index}", *([f"--first={first}"] if first else []), f"--pairs={pairs}"]
    return shlex.join(["synth-server", "render", *where, *flags])


def texts(spec: StreamSpec) -> dict[str, str]:
    """Every field as people write it, for a form: numbers that JavaScript would round, and mappings in short."""
    return {name: _text(name, value) for name, value in spec.as_dict().items()}


def _text(name: str, value: Any) -> str:
    if not isinstance(value, Mapping):
        return str(value)
    return ", ".join(f"{key}: {part}" for key, part in _short(name, value).items())


def _value(text: str) -> int | float | str:
    """A number if it looks like one; what it may be is for the spec to say."""
    if _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if _REAL.fullmatch(text) else text


def _departures(spec: StreamSpec) -> Iterator[tuple[str, Any]]:
    """The fields that are not as in the default spec."""
    usual = StreamSpec().as_dict()
    yield from ((name, value) for name, value in spec.as_dict().items() if value != usual[name])


def _said(spec: StreamSpec) -> Iterator[tuple[str, Any]]:
    for name, value in _departures(spec):
        if isinstance(value, Mapping):
            yield from ((f"{name}.{key}", part) for key, part in _short(name, value).items())
        else:
            yield name, value


def _flag(name: str, value: Any) -> str:
    return f"{{{_text(name, value)}}}" if isinstance(value, Mapping) else str(value)


def _short(name: str, value: Mapping[str, Any]) -> dict[str, Any]:
    """A delta that most groups share is said once, as that of the rest."""
    if name != "delta":
        return dict(value)
    usual, _ = Counter(value.values()).most_common(1)[0]
    return {**{group: part for group, part in value.items() if part != usual}, REST: usual}
