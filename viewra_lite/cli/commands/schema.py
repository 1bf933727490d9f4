"""viewra-lite migrate, schema: migrate a store, and print its tables as SQL."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..exit_codes import DONE
from ..opening import looking
from ..output import print_json, say

if TYPE_CHECKING:
    from ..parser import Commands


def add_commands(commands: Commands) -> None:
    """Add this family's commands."""
    migrate = commands.add("migrate", run_migrate, "migrate an existing store to this version")
    migrate.add_argument(
        "--plan", action="store_true", help="print the pending migrations and change nothing"
    )
    schema = commands.add("schema", run_schema, "print the tables as SQL; needs no store")
    schema.add_argument(
        "--dialect", choices=("sqlite", "postgres"), default="sqlite", help="default: sqlite"
    )


def run_migrate(args: Namespace) -> int:
    """Apply the pending migrations, or print them."""
    with looking(args) as store:
        scripts = store.migrations.plan() if args.plan else store.migrations.apply()
    names = [{"module": script.module, "name": script.name} for script in scripts]
    if args.json:
        print_json({"pending" if args.plan else "applied": names})
    else:
        _print_scripts(names, "pending" if args.plan else "applied")
    return DONE


def _print_scripts(names: Sequence[dict[str, str]], state: str) -> None:
    for name in names:
        say(f"{state}: {name['module']} {name['name']}")
    if not names:
        say("The store is up to date")


def run_schema(args: Namespace) -> int:
    """Print the commented DDL."""
    from ...database.migrations.schema import render
    from ...built_in import BUILT_IN

    sql = render([module.module() for module in BUILT_IN], args.dialect)
    if args.json:
        print_json({"dialect": args.dialect, "sql": sql})
    else:
        print(sql, end="")
    return DONE
