"""The values of a plugin's configuration, from the command line, files and standard input."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentTypeError, Namespace
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .complaints import UsageError

if TYPE_CHECKING:
    from .parser import Parser

_STDIN = "-"
_MASK = "***"


def add_values(parser: Parser) -> None:
    """Add the arguments of changed()."""
    parser.add_argument(
        "values",
        metavar="KEY=VALUE",
        nargs="*",
        type=_pair,
        help="a value as JSON, or else as text (a number as text: 'KEY=\"5\"')",
    )
    parser.add_argument(
        "--read",
        metavar="KEY=FILE",
        action="append",
        default=[],
        type=_pair,
        help="the first line of a file is the value, such as a secret; - reads standard input",
    )
    parser.add_argument(
        "--unset", metavar="KEY", action="append", default=[], help="remove a value"
    )
    parser.add_argument(
        "--file", help="the whole configuration, as JSON or YAML; - reads standard input"
    )


def _pair(text: str) -> tuple[str, str]:
    key, is_given, value = text.partition("=")
    if not key or not is_given:
        raise ArgumentTypeError("expected KEY=VALUE")  # and not the text: it may be a secret
    return key, value


def changed(args: Namespace, config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration with the changes of the arguments; raises UsageError."""
    if not (args.file or args.values or args.read or args.unset):
        raise UsageError("nothing to change: give KEY=VALUE, --read, --unset or --file")
    found = dict(config) if args.file is None else _document(args.file)
    for key in args.unset:
        if key not in found:
            raise UsageError(f"there is nothing to unset at {key!r}")
        del found[key]
    found.update({key: _value(text) for key, text in args.values})
    found.update({key: _first_line(key, path) for key, path in args.read})
    return found


def secrets_typed(args: Namespace, config: Mapping[str, Any]) -> list[str]:
    """Return the keys of secrets that were given as arguments; config is the masked one."""
    return [key for key, text in args.values if config.get(key) == _MASK and text != _MASK]


def _value(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _first_line(key: str, path: str) -> str:
    if path == _STDIN and sys.stdin.isatty():
        from getpass import getpass

        return getpass(f"{key}: ")
    lines = _text(path).splitlines()
    if not lines or not lines[0]:
        raise UsageError(f"--read {key}={path}: the first line is empty")
    return lines[0]


def _document(path: str) -> dict[str, Any]:
    """Return the mapping of a JSON or YAML file; no message repeats what may be a secret."""
    text = _text(path)
    try:
        found = json.loads(text)
    except ValueError:
        found = _yaml(text, path)
    if not isinstance(found, dict) or not all(isinstance(key, str) for key in found):
        raise UsageError(f"--file {path}: expected names with values, as key: value")
    return found


def _yaml(text: str, path: str) -> object:
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.MarkedYAMLError as exc:
        line = exc.problem_mark.line + 1 if exc.problem_mark else 1
        where = f"line {line} is neither JSON nor YAML"
    except (yaml.YAMLError, ValueError, RecursionError):
        where = "it is neither JSON nor YAML"
    raise UsageError(f"--file {path}: {where}")


def _text(path: str) -> str:
    from ..config.yaml_source import decoded, read_small_file

    if path == _STDIN:
        return decoded(sys.stdin.buffer.read(), "standard input")
    return decoded(read_small_file(path, path), path)
