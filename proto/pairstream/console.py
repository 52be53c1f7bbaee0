"""How both console scripts behave: a table of commands, settings from dataclasses, errors in one line.

A command is a frozen dataclass of settings and the function that runs it. The function is named, not
imported, so that `--help` loads nothing heavy. Settings come from flags, from `--config FILE` (YAML)
and from environment variables (`SYNTH_SERVER_SERVE__BIND`, for example); `--help` shows all.
"""

from __future__ import annotations

import difflib
import logging
import os
import re
import sys
from argparse import ArgumentError
from collections.abc import Sequence
from dataclasses import dataclass, fields
from importlib import import_module
from typing import Any, get_args, get_origin, get_type_hints

from docstring_parser import DocstringParam, parse_from_object
from jsonargparse import ArgumentParser, set_parsing_settings

from pairstream import logs
from pairstream.errors import ConfigError, PairstreamError
from pairstream.version import version

INTERRUPTED = 130

#: Metadata of a field that is said by its place on the command line, without a flag.
POSITIONAL = {"positional": True}

#: The name in `--max-steps=5`, which may be written with hyphens or underscores alike.
_OPTION = re.compile(r"^--[a-z][\w.-]*")

#: How jsonargparse says that a value fits none of several types, and how it writes a type.
_UNION = re.compile(r'Parser key "(.*?)": Does not .*? Subtypes: \[(.*?)\] Errors: .* Given value: (.*)')
_TYPE = re.compile(r"typing\.(?=Literal)|<class '(?:[\w.]+\.)?(\w+)'>")


@dataclass(frozen=True, kw_only=True)
class Command:
    """One subcommand: its name, its settings, and where the function that runs it lives."""

    name: str
    settings: type[Any]
    run: str
    """The function as `module:name`; it takes the settings and returns the exit code, or None for 0."""


def main(prog: str, description: str, commands: Sequence[Command], argv: Sequence[str] | None = None) -> int:
    """Parse, run, and turn any `PairstreamError` into one line on stderr and its exit code."""
    try:
        command, settings = parse(prog, description, commands, sys.argv[1:] if argv is None else argv)
        module, _, name = command.run.partition(":")
        return int(getattr(import_module(module), name)(settings) or 0)
    except PairstreamError as error:
        complain(prog, error)
        logging.getLogger(__name__).debug("the traceback of that error", exc_info=True)
        return error.exit_code
    except KeyboardInterrupt:
        print(f"{prog}: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # whoever read our output went away, as in `… | head`
        sys.stderr.close()
        return 0


def complain(prog: str, error: PairstreamError) -> None:
    """One line on stderr, in the form that the command logs in."""
    sentence = " ".join(str(error).split())
    if logs.structured():
        fields = {"kind": type(error).__name__, "error": sentence, "exit_code": error.exit_code}
        logging.getLogger(prog).error("failed", extra={"fields": fields})
    else:
        print(f"{prog}: error: {sentence}", file=sys.stderr)


def parse(prog: str, description: str, commands: Sequence[Command], argv: Sequence[str]) -> tuple[Command, Any]:
    """The command of a command line and its settings, without running it.

    Raises:
        ConfigError: a setting that cannot be meant; the message quotes it.
    """
    set_parsing_settings(docstring_parse_attribute_docstrings=True)
    parser = ArgumentParser(
        prog=prog,
        description=description,
        version=version(),
        default_env=True,
        allow_abbrev=False,
        exit_on_error=False,
    )
    subcommands = parser.add_subcommands(required=True, dest="command")
    variables = prog.replace("-", "_").upper()
    named = {*argv, os.environ.get(f"{variables}_COMMAND")}
    for command in commands:
        summary = (command.settings.__doc__ or "").strip()
        # Reading settings takes most of the time of `--help`, so it is left out for commands that nobody named.
        settings = _parser_of(command) if command.name in named else ArgumentParser()
        subcommands.add_subcommand(command.name, settings, help=summary.splitlines()[0])
        if command.name in named:
            _refuse_misspelt(f"{variables}_{command.name.upper()}__", settings)
    try:
        parsed = parser.parse_args([_OPTION.sub(_underscored, word) for word in argv])
        chosen = next(command for command in commands if command.name == parsed.command)
        values = vars(parser.instantiate(parsed)[chosen.name])
    except (ArgumentError, TypeError) as error:
        raise ConfigError(f"{_plain(str(error))} (see `{prog} --help` or `{prog} COMMAND --help`)") from error
    return chosen, chosen.settings(**{field.name: values[field.name] for field in fields(chosen.settings)})


def _refuse_misspelt(prefix: str, settings: ArgumentParser) -> None:
    """Every variable with the prefix is one of these settings: a lock that is misspelt would be no lock."""
    known = {action.dest.upper().replace(".", "__") for action in settings._actions}
    said = {name.removeprefix(prefix) for name in os.environ if name.startswith(prefix)}
    for name in sorted(said - known):
        near = difflib.get_close_matches(name, known, n=1)
        remedy = f"did you mean {prefix}{near[0]}?" if near else "see --help for those there are"
        raise ConfigError(f"the environment variable {prefix}{name} is no setting of this command; {remedy}")


def _plain(message: str) -> str:
    """What jsonargparse says of a wrong value, without its account of every type that it tried."""
    line = _TYPE.sub(r"\1", " ".join(message.split()))
    return _UNION.sub(r"\1: \3 is none of \2", line)


def _underscored(option: re.Match[str]) -> str:
    return "--" + option[0][2:].replace("-", "_")


def _parser_of(command: Command) -> ArgumentParser:
    """The settings as flags: a `bool` is a switch, a `list[...]` takes several values (`--data A B`).

    A field whose metadata is `POSITIONAL` is no flag: it is the next word of the command, a list all that follow.
    """
    parser = ArgumentParser(
        description=(command.settings.__doc__ or "").strip(), default_env=True, allow_abbrev=False, exit_on_error=False
    )
    parser.add_argument("--config", action="config", help="A YAML file with any of the settings below.")
    hints = get_type_hints(command.settings)
    lists = {name: get_args(hint)[0] for name, hint in hints.items() if get_origin(hint) is list}
    switches = {name for name, hint in hints.items() if hint is bool}
    places = [field.name for field in fields(command.settings) if field.metadata == POSITIONAL]
    documented = {parameter.arg_name: parameter.description for parameter in _docs(command.settings)}
    for name in [name for name in places if name not in lists]:
        parser.add_argument(name, type=hints[name], help=documented.get(name))
    parser.add_class_arguments(command.settings, skip={*lists, *switches, *places})
    for name, item in lists.items():
        flag, count = (name, "*") if name in places else (f"--{name}", "+")
        parser.add_argument(flag, nargs=count, type=item, default=[], help=documented.get(name))
    for name in switches:
        parser.add_argument(f"--{name}", action="store_true", help=documented.get(name))
    return parser


def _docs(settings: type[Any]) -> list[DocstringParam]:
    """The lines under the fields."""
    return [item for item in parse_from_object(settings).meta if isinstance(item, DocstringParam)]
