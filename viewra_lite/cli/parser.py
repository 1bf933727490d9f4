"""The parser of the command line: the commands, and the options that they share."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, NoReturn

from .. import __version__
from .complaints import UsageError
from .output import PROGRAM

# The modules of this package that add commands, in the order of --help.
_FAMILIES = (
    "status",
    "scan",
    "catalog.libraries",
    "catalog.lists",
    "playback",
    "catalog.marks",
    "imports",
    "transcodes",
    "backups",
    "maintain",
    "doctor",
    "plugins",
    "schema",
    "web",
)

_EPILOG = """\
The store is that of --config, else of ./viewra.yaml, else the SQLite file ./viewra-data/viewra.db.
VIEWRA_DATABASE_<OPTION> in the environment overrides an option.

exit codes: 0 done; 1 a problem was found, or the command failed; 2 wrong usage or configuration;
130 interrupted
"""

Run = Callable[[argparse.Namespace], int]


class Parser(argparse.ArgumentParser):
    """An ArgumentParser that raises UsageError instead of printing and exiting."""

    def error(self, message: str) -> NoReturn:
        """Raise UsageError."""
        raise UsageError(f"{message} (see {self.prog} --help)")


class Commands:
    """The subcommands of a parser; each accepts the shared options too."""

    def __init__(self, parser: argparse.ArgumentParser, dest: str, *, required: bool) -> None:
        self._commands = parser.add_subparsers(
            dest=dest, metavar=dest.upper(), required=required, parser_class=Parser
        )

    def add(self, name: str, run: Run, summary: str, description: str = "") -> Parser:
        """Add a command and return its parser."""
        parser: Parser = self._commands.add_parser(
            name,
            help=summary,
            description=description or f"{summary[:1].upper()}{summary[1:]}.",
            allow_abbrev=False,
        )
        # SUPPRESS: a default here would override an option given before the command's name.
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
        description="The store of a media server.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    _share_options(parser, None, False)
    commands = Commands(parser, "command", required=True)
    for family in _FAMILIES:
        import_module(f"{__package__}.commands.{family}").add_commands(commands)
    return parser


def _share_options(parser: Parser, config: object, switch: object) -> None:
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
        help="print one JSON document, with full ids and times in UTC",
    )
    parser.add_argument(
        "--utc",
        action="store_true",
        default=switch,
        help="show and read times in UTC; default: the local time zone",
    )
    parser.add_argument("--version", action=_Version, help="print the version and exit")


class _Version(argparse.Action):
    """Prints the version with print(): argparse's own action would hide a closed pipe."""

    def __init__(self, option_strings: Sequence[str], dest: str, **options: Any) -> None:
        super().__init__(
            option_strings, argparse.SUPPRESS, nargs=0, default=argparse.SUPPRESS, **options
        )

    def __call__(self, parser: argparse.ArgumentParser, *_: object, **__: object) -> NoReturn:
        print(f"{PROGRAM} {__version__}")
        parser.exit()
