"""How many oscillators of each kind a spec asks for: the form of such a mapping, and one way to write each.

The numbers of a synthesizer that a spec does not give are part of the contract, since they decide bytes; so they stand
here. Which kinds a synthesizer really has, and how many a worker plays, is for the worker to say (`RefusedError`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from pairstream.errors import SpecError

Numbers = Mapping[str, int]

#: The most of one kind that a spec can name.
MOST = 64

_KIND = re.compile(r"[a-z][a-z0-9_]{0,31}")

#: The synthesizers whose oscillators can be counted, with the numbers that hold where a spec gives none: the paper's.
OWN: Mapping[str, Numbers] = MappingProxyType(
    {"parametric": MappingProxyType({"sine": 2, "square_saw": 2, "fm_sine": 1, "fm_square_saw": 1})}
)


def departures(synth: str, numbers: object) -> Numbers:
    """`numbers` without those that are the synthesizer's own, so that equal streams are equal specs.

    Raises:
        SpecError: it is no mapping of names to whole numbers from 0 to 64; the message quotes what is wrong.
    """
    if not isinstance(numbers, Mapping):
        raise SpecError(f"oscillators={numbers!r} is not a mapping; write the number of each kind, such as {{sine: 4}}")
    for kind, number in numbers.items():
        if not isinstance(kind, str) or not _KIND.fullmatch(kind):
            raise SpecError(f"oscillators names the kind {kind!r}; use lower-case letters, digits and '_': fm_sine")
        if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number <= MOST:
            raise SpecError(f"oscillators[{kind!r}]={number!r} is no number of oscillators; use 0 to {MOST}")
    own = OWN.get(synth, {})
    return MappingProxyType({kind: numbers[kind] for kind in sorted(numbers) if numbers[kind] != own.get(kind)})
