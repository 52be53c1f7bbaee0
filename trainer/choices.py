"""Settings of which a user says some: the fields of a dataclass, each None until it is said.

So a field, its type and its help are written once, where it means something, and are flags all the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, fields, is_dataclass, make_dataclass, replace
from typing import Any, TypeVar, get_type_hints

import docstring_parser

Settings = TypeVar("Settings")


def choice_of(cls: type[Any], name: str, summary: str) -> Any:
    """The dataclass `cls` with None, for "not said", as the default of every field; same names, types and help.

    A field that is a dataclass itself becomes a choice, too, of which nothing was said.
    """
    hints = get_type_hints(cls)
    described = docstring_parser.parse_from_object(cls).params
    lines = [f"    {param.arg_name}: {' '.join((param.description or '').split())}" for param in described]
    return make_dataclass(
        name,
        [_optional(item.name, hints[item.name]) for item in fields(cls)],
        namespace={"__doc__": "\n".join([summary, "", "Args:", *lines])},
        frozen=True,
        kw_only=True,
    )


def with_said(base: Settings, said: object, **more: Any) -> Settings:
    """`base`, a dataclass, with what `said` says instead: its fields of the same names that are not None.

    `more` are changes that are made with them, where some are only valid together.
    """
    changes: dict[str, Any] = {}
    for item in fields(base):  # type: ignore[arg-type]
        value, was = getattr(said, item.name, None), getattr(base, item.name)
        if value is not None:
            nested = is_dataclass(was) and not isinstance(value, type(was))
            changes[item.name] = with_said(was, value) if nested else value
    return replace(base, **(changes | more))  # type: ignore[type-var]


def whole(cls: type[Settings], values: Mapping[str, Any]) -> Settings:
    """An instance of the dataclass `cls`, of all its fields: what another version left out is not what is meant today.

    Raises:
        TypeError: a field is missing, or is none of this dataclass.
    """
    missing = {item.name for item in fields(cls)} - values.keys()  # type: ignore[arg-type]
    if missing:
        raise TypeError(f"its {cls.__name__.lower()} says nothing of {', '.join(sorted(missing))}")
    return cls(**values)


def _optional(name: str, hint: Any) -> tuple[str, Any, Any]:
    if isinstance(hint, type) and is_dataclass(hint):
        choice = choice_of(hint, f"{hint.__name__}Choice", (hint.__doc__ or "").splitlines()[0])
        return name, choice, field(default_factory=choice)
    return name, hint | None, field(default=None)
