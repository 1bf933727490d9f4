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
    "tools.configuration",
    "tools.shell",
    "tools.completion",
)

# The commands by topic, as --help shows them.
_TOPICS = {
    "store": ("init", "status", "doctor", "migrate", "config"),
    "media": ("scan", "libraries", "list", "search"),
    "users": ("sessions", "history", "continue", "stats", "mark", "undo", "import", "export"),
    "upkeep": ("maintain", "backup", "restore", "recover", "transcodes", "plugins"),
    "tools": ("web", "shell", "schema", "completion"),
}

_EPILOG = """\
--config FILE_OR_URL names the store: a YAML file, sqlite:///file or
postgresql://user@host/database; else ./viewra.yaml or ./viewra-data/viewra.db
--json prints JSON; --utc shows and reads times in UTC; --version
VIEWRA_DATABASE_<OPTION> in the environment overrides an option
exit codes: 0 done, 1 a problem or failure, 2 wrong usage, 130 interrupted
"""

_NEARLY = 0.6  # of the letters, in difflib's measure

Run = Callable[[argparse.Namespace], int]


class Parser(argparse.ArgumentParser):
    """An ArgumentParser that raises UsageError instead of printing and exiting."""

    def error(self, message: str) -> NoReturn:
        """Raise UsageError."""
        raise UsageError(f"{message} (see {self.prog} --help)")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Refuse a value that is not one of the choices, and name those that are nearly it."""
        if action.choices is None or value in action.choices:
            return
        from difflib import get_close_matches

        near = get_close_matches(str(value), map(str, action.choices), cutoff=_NEARLY)
        if not near:
            super()._check_value(action, value)
        raise argparse.ArgumentError(
            action, f"invalid choice: {value!r}: did you mean {' or '.join(near)}?"
        )


class _Root(Parser):
    """The parser of the command's name; its help is one screen."""

    def format_help(self) -> str:
        """Return the commands by topic."""
        [action] = [one for one in self._actions if isinstance(one, argparse._SubParsersAction)]
        about = {choice.dest: choice.help for choice in action._choices_actions}
        lines = [f"usage: {self.prog} COMMAND ...; COMMAND --help shows a command with an example"]
        for topic, names in _TOPICS.items():
            for name in names:
                lines.append(f"{topic:7} {name:11} {about[name]}")
                topic = ""
        return "\n".join((*lines, str(self.epilog)))


class Commands:
    """The subcommands of a parser; each accepts the shared options too."""

    def __init__(self, parser: argparse.ArgumentParser, dest: str, *, required: bool) -> None:
        self._commands = parser.add_subparsers(
            dest=dest, metavar=dest.upper(), required=required, parser_class=Parser
        )

    def add(
        self, name: str, run: Run, summary: str, description: str = "", *, example: str
    ) -> Parser:
        """Add a command and return its parser; the example is without the program's name."""
        parser: Parser = self._commands.add_parser(
            name,
            help=summary,
            description=description or f"{summary[:1].upper()}{summary[1:]}.",
            epilog=f"example: {PROGRAM} {example}",
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
    parser = _Root(prog=PROGRAM, epilog=_EPILOG, allow_abbrev=False)
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
