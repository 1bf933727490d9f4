"""viewra-lite shell: the database in sqlite3 or psql, or the open store in Python."""

from __future__ import annotations

import os
import shutil
import subprocess
from argparse import Namespace
from typing import TYPE_CHECKING

from ...complaints import UsageError
from ...exit_codes import DONE, NOT_WELL
from ...opening import existing, looking

if TYPE_CHECKING:
    from ....config.options import Config
    from ...parser import Commands


def add_commands(commands: Commands) -> None:
    """Add this family's commands."""
    parser = commands.add(
        "shell",
        run_shell,
        "open the database in sqlite3 or psql, or the store in Python",
        "Open the database for reading in sqlite3 or litecli, on PostgreSQL in psql or pgcli, also "
        "beside a running server. With --python, open the store in a Python shell.",
        example="shell --python",
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--write", action="store_true", help="allow changes; back up first")
    how.add_argument(
        "--python", action="store_true", help="a Python shell with the open store, which can change"
    )


def run_shell(args: Namespace) -> int:
    """Run the program until it ends."""
    if args.python:
        return _python(args)
    with looking(args) as store:
        config = store.config
    command, environ = _program(config, write=args.write)
    child = subprocess.Popen(command, env=environ)
    while True:
        try:
            return NOT_WELL if child.wait() else DONE
        except KeyboardInterrupt:  # the program's: it interrupts a query
            continue


def _python(args: Namespace) -> int:
    import code
    import sys

    with existing(args) as store:
        code.interact(
            f"Python {sys.version.split()[0]}; store is the open store at {store.config.url}",
            local={"store": store},
            exitmsg="",
        )
    return DONE


def _program(config: Config, *, write: bool) -> tuple[list[str], dict[str, str]]:
    """Return the command and the environment of a program that is installed; UsageError."""
    from ....config.clients import client
    from ....database.postgres.backup import environment

    commands, environ, remedy = client(config, environment() or os.environ, write=write)
    for command in commands:
        found = shutil.which(command[0])
        if found is not None:
            return [found, *command[1:]], environ
    first, second = (command[0] for command in commands)
    raise UsageError(f"shell needs {first} or {second}: {remedy}, or pip install {second}")
