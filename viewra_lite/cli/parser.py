"""The grammar of the command line: the commands, and the options that all of them share."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, NoReturn

from .. import __version__
from .complaints import UsageError
from .output import PROGRAM

# The modules of this package that add commands, in the order of --help.
_FAMILIES = ("status", "scan", "libraries", "playback", "imports", "transcodes", "schema")

_EPILOG = """\
The store is the one that --config names, else the one of ./viewra.yaml, else the SQLite file
./viewra-data/viewra.db. VIEWRA_DATABASE_<OPTION> in the environment overrides an option.

exit codes: 0 done; 1 looked, and it is not well, or it failed; 2 wrong usage or configuration;
130 interrupted
"""

Run = Callable[[argparse.Namespace], int]


class Parser(argparse.ArgumentParser):
    """An ArgumentParser that raises UsageError instead of printing and leaving."""

    def error(self, message: str) -> NoReturn:
        """Raise UsageError."""
        raise UsageError(f"{message} (see {self.prog} --help)")


class Commands:
    """The commands below a parser; each takes the shared options as well."""

    def __init__(self, parser: argparse.ArgumentParser, dest: str, *, required: bool) -> None:
        self._commands = parser.add_subparsers(
            dest=dest, metavar=dest.upper(), required=required, parser_class=Parser
        )

    def add(self, name: str, run: Run, summary: str, description: str = "") -> Parser:
        """Add a command and return its parser, which takes its arguments."""
        parser: Parser = self._commands.add_parser(
            name,
            help=summary,
            description=description or f"{summary[:1].upper()}{summary[1:]}.",
            allow_abbrev=False,
        )
        # SUPPRESS: a default here would undo what was given before the command's name.
        _share_options(parser, argparse.SUPPRESS, argparse.SUPPRESS)
        parser.set_defaults(run=run)
        return parser


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Return the arguments; `run` is the command's function. Raises UsageError."""
    return build_parser().parse_args(argv)


def build_parser() -> Parser:
    """Return the parser with every command."""
    parser = Parser(
        prog=PROGRAM,
        description="The store of a small media server.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    _share_options(parser, None, False)
    commands = Commands(parser, "command", required=True)
    for family in _FAMILIES:
        import_module(f"{__package__}.commands.{family}").add_commands(commands)
    return parser


def _share_options(parser: Parser, config: Any, switch: Any) -> None:
    parser.add_argument(
        "--config",
        metavar="FILE_OR_URL",
        default=config,
        help="a YAML file, or a URL: sqlite:///file or postgresql://user@host/database",
    )
    parser.add_argument(
        "--json",
        action="store_true",
        default=switch,
        help="print one JSON document, with whole ids and times in UTC",
    )
    parser.add_argument(
        "--utc",
        action="store_true",
        default=switch,
        help="show and take times in UTC; default: in this machine's zone",
    )
    parser.add_argument("--version", action=_Version, help="print the version and exit")


class _Version(argparse.Action):
    """Prints as everything else is: argparse's own would hide a closed pipe."""

    def __init__(self, option_strings: Sequence[str], dest: str, **options: Any) -> None:
        super().__init__(
            option_strings, argparse.SUPPRESS, nargs=0, default=argparse.SUPPRESS, **options
        )

    def __call__(self, parser: argparse.ArgumentParser, *_: Any, **__: Any) -> NoReturn:
        print(f"{PROGRAM} {__version__}")
        parser.exit()
